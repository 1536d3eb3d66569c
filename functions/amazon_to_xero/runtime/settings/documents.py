"""The parts `contacts`, `invoices` and `refunds` of a connection's settings: who is invoiced, and how."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from amazon_to_xero.domain.amazon.business_buyer import BuyerReference
from amazon_to_xero.domain.books.contact import ContactScope
from amazon_to_xero.domain.planning.document_style import LINE_FIELDS, DocumentStyle, unknown_fields
from amazon_to_xero.domain.planning.policy import Approval, MarketplacePolicy, Payments, RefundsWithoutSale, StartBy
from amazon_to_xero.runtime.settings.base import Settings, Text

# Xero: at most 255 characters; its filter, by which a contact with the name is found, cannot take quotation marks.
type ContactName = Annotated[
    str, StringConstraints(min_length=1, max_length=255, strip_whitespace=True, pattern=r'^[^"\\]*$')
]


class ContactSettings(Settings):
    policy: ContactScope = Field(
        default=ContactScope.MARKETPLACE,
        description="Whom orders are invoiced to. `marketplace`: one customer for each marketplace. `business_buyers`: "
        "a contact for each buyer of Amazon Business. `buyers`: a contact for each buyer whom Amazon names. The last "
        "two need a role with access to buyer data.",
    )
    names: dict[str, ContactName] = Field(
        default_factory=dict,
        description="Marketplace id → name of its customer in Xero, e.g. to replace the default name `Amazon.co.uk "
        "customers`.",
    )


class MarketplaceInvoiceSettings(Settings):
    payments: Payments | None = Field(
        default=None, description="`invoices.payments` for this marketplace; without it, as for the others."
    )
    approval: Approval | None = Field(
        default=None, description="`invoices.approval` for this marketplace; without it, as for the others."
    )


class InvoiceSettings(Settings):
    per: Literal["order", "shipment", "day"] = Field(
        default="shipment",
        description="`shipment`: one invoice for each shipment, numbered `<order>`, `<order>-S2` and so on: only what "
        "has left is income. `order`: one for an order, approved at its first shipment. `day`: one for all that "
        "shipped on a day in a marketplace, numbered `GB-20261102-1`, with the list of its orders attached, and one "
        "credit note for all that went back: for more than about 1,000 orders a month. Needs the scope "
        "`accounting.attachments`.",
    )
    day_closes_after_hours: Annotated[int, Field(ge=1, le=20)] = Field(
        default=6,
        description="With `per: day`, how many hours after its midnight, in the organisation's time zone, a day is "
        "closed. What is known of it by then is in its invoice; what comes later is in a further one of the same day.",
    )
    number_prefix: Annotated[str, StringConstraints(max_length=50, pattern="^[A-Za-z0-9 ._/#-]*$")] = Field(
        default="", description="Text before Amazon's order id in every invoice number, e.g. `AMZ-`."
    )
    line_description: Annotated[str, StringConstraints(max_length=500)] = Field(
        default="",
        description="How lines name an item: a text with the fields `{title}`, `{sku}`, `{item_id}`, `{order_id}` and "
        "`{marketplace}`, e.g. `{marketplace}: {title} ({sku})`. Empty for `{title} ({sku})`. Let it end with "
        "`({sku})`: of an item that Amazon takes off an order, a refund finds the line by it. Lines are cut to Xero's "
        "4,000 characters.",
    )
    due_days: Annotated[int, Field(ge=0, le=365)] = Field(
        default=0, description="Days from the date of an invoice to its due date."
    )
    branding_theme: Text | None = Field(
        default=None,
        description="Name of a branding theme of the organisation, which invoices and credit notes take. Without it "
        "the default one.",
    )
    buyer_references: tuple[BuyerReference, ...] = Field(
        default=(),
        description="What a business buyer gave an order for its own books, which the invoice's reference then states: "
        "`purchase_order` (`PO 4711`), `vat_number` (`VAT GB123456789`). Amazon states them only with a role for them. "
        "What is named here is stored with the order. With contacts of business buyers their VAT number is on the "
        "contact, and cannot be named here.",
    )
    lock_dates: Literal["hold", "next_open_day"] = Field(
        default="hold",
        description="What happens to a document whose date is locked in Xero. `hold`: it fails with `PERIOD_LOCKED`. "
        "`next_open_day`: it is dated on the first open day.",
    )
    start_by: StartBy = Field(
        default=StartBy.SHIPMENT,
        description="Which orders placed before `start` are booked. `shipment`: those that ship from `start` on, whose "
        "invoices have that date. `order`: none.",
    )
    payments: Payments = Field(
        default=Payments.FROM_CLEARING,
        description="Whether approved invoices are paid. `from_clearing`: at once, from the clearing account of their "
        "currency. `none`: never; they stay open until you pay them, and refunds are allocated to them.",
    )
    approval: Approval = Field(
        default=Approval.AT_SHIPMENT,
        description="Who approves the invoice of what has shipped. `at_shipment`: it is entered as approved. `review`: "
        "you approve it in Xero, where it awaits approval. Within an hour after that it is paid.",
    )
    marketplaces: dict[str, MarketplaceInvoiceSettings] = Field(
        default_factory=dict,
        description='Marketplace id → what is otherwise for its invoices, e.g. `{"A1F83G8C2ARO7P": {"payments": '
        '"none"}}`.',
    )

    def by_marketplace(self) -> dict[str, MarketplacePolicy]:
        return {
            each: MarketplacePolicy(payments=other.payments, approval=other.approval)
            for each, other in self.marketplaces.items()
        }

    @model_validator(mode="after")
    def _template_is_known(self) -> Self:
        if unknown := unknown_fields(self.line_description):
            raise ValueError(
                f"line_description has {', '.join(unknown)}, which is no field; "
                f"write {', '.join(f'{{{name}}}' for name in LINE_FIELDS)}, and no other braces"
            )
        return self

    def style(self) -> DocumentStyle:
        return DocumentStyle(
            self.line_description, self.due_days, self.branding_theme or "", frozenset(self.buyer_references)
        )


class RefundSettings(Settings):
    before_start: RefundsWithoutSale = Field(
        default=RefundsWithoutSale.PERSON,
        description="What happens to a refund of a sale from before `start` (see `invoices.start_by`), or of an order "
        "that Amazon no longer returns because it is more than two years old. `person`: it fails with "
        "`REFUND_BEFORE_START` (an order that Amazon no longer returns: `REFUND_WITHOUT_SALE`). `standalone`: it "
        "becomes a credit note without an invoice, on the accounts and tax rates that a sale would have today, to the "
        "marketplace's customer, refunded out of clearing.",
    )
