"""The part `accounts` of a connection's settings: the codes of the organisation's accounts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from amazon_to_xero.domain.amazon.order import Charge
from amazon_to_xero.domain.planning.policy import AccountCodes
from amazon_to_xero.runtime.settings.base import Settings

type AccountCode = Annotated[str, StringConstraints(min_length=1, max_length=10)]


class AccountSettings(Settings):
    item: AccountCode = Field(description="Code of the income account for goods, e.g. `200`.")
    shipping: AccountCode = Field(description="Code of the income account for shipping that buyers pay.")
    gift_wrap: AccountCode = Field(description="Code of the income account for gift wrapping.")
    discounts: AccountCode = Field(description="Code of the account for promotions and other discounts.")
    cod_fee: AccountCode | None = Field(
        default=None,
        description="Code of the income account for cash-on-delivery fees. Without it an order with such a fee fails "
        "with `ACCOUNT_UNMAPPED`.",
    )
    delivery_tip: AccountCode | None = Field(
        default=None,
        description="Code of the income account for delivery tips. Without it an order with a tip fails with "
        "`ACCOUNT_UNMAPPED`.",
    )
    other: AccountCode | None = Field(
        default=None,
        description="Code of the income account for every other charge. Without it an order with such a charge fails "
        "with `ACCOUNT_UNMAPPED`.",
    )
    refunds_goodwill: AccountCode | None = Field(
        default=None,
        description="Code of the account for what buyers get back beyond what they had paid (goodwill). Without it the "
        "account of the item.",
    )
    refunds_restocking: AccountCode | None = Field(
        default=None,
        description="Code of the account for what you keep for a return: restocking and return shipping. Without it "
        "the account of the item.",
    )
    suspense: AccountCode | None = Field(
        default=None,
        description="Code of the account for amounts in refunds whose type is not known. Without it such a refund "
        "fails with `CHARGE_TYPE_UNKNOWN`.",
    )
    clearing: dict[Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")], AccountCode] = Field(
        default_factory=dict,
        description="ISO currency code → code of the clearing account that approved invoices are paid from, e.g. "
        '`{"GBP": "CLR-GBP"}`. Invoices in a currency without one stay unpaid.',
    )

    def codes(self) -> AccountCodes:
        charges = {
            Charge.ITEM: self.item,
            Charge.SHIPPING: self.shipping,
            Charge.GIFT_WRAP: self.gift_wrap,
            Charge.COD_FEE: self.cod_fee,
            Charge.DELIVERY_TIP: self.delivery_tip,
            Charge.OTHER: self.other,
        }
        return AccountCodes(
            {charge: code for charge, code in charges.items() if code},
            self.discounts,
            self.clearing,
            self.refunds_goodwill or "",
            self.refunds_restocking or "",
            self.suspense or "",
        )
