"""The row of a SaleConfirmation: charges and sale in few characters, amounts as decimal texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from amazon_to_xero.adapters.dynamodb.rows import Row, text_of_time, time_of_text, timestamp
from amazon_to_xero.domain.amazon.charge_types import AmountKind, AmountType
from amazon_to_xero.domain.amazon.shipment_charge import ShipmentCharge
from amazon_to_xero.domain.canonical import canonical_json
from amazon_to_xero.domain.planning.sale_confirmation import ConfirmationState, SaleConfirmation
from amazon_to_xero.domain.planning.stated_sale import StatedSale
from amazon_to_xero.ports.state import FAILED_SOURCES

_TAX = " tax"  # behind the kind of an amount that is the tax on it


class ConfirmationCodec:
    """Converts SaleConfirmation."""

    prefix = "CONFIRMATION"
    schema = 2  # 1: without the version that was planned

    def encode(self, record: SaleConfirmation) -> Row:
        data = {
            "charges": {key: _encoded_charge(charge) for key, charge in record.charges.items()},
            "sale": None if record.sale is None else _encoded_sale(record.sale),
            "planned_version": text_of_time(record.planned_version),
            "awaited_since": text_of_time(record.awaited_since),
        }
        is_failed = record.state is ConfirmationState.FAILED
        return Row(
            f"{self.prefix}#{record.order_id}",
            record.generation,
            canonical_json(data),
            record.state,
            record.reason,
            record.remedy,
            record.capability,
            timestamp(record.next_attempt_at) if record.next_attempt_at else "",
            watched=FAILED_SOURCES if is_failed else "",
        )

    def decode(self, key: str, row: Row, data: dict[str, Any]) -> SaleConfirmation:
        sale = data.get("sale")
        return SaleConfirmation(
            order_id=key,
            generation=row.generation,
            charges={each: _decoded_charge(each, charge) for each, charge in data.get("charges", {}).items()},
            sale=None if sale is None else _decoded_sale(sale),
            planned_version=time_of_text(data.get("planned_version")),
            awaited_since=time_of_text(data.get("awaited_since")),
            next_attempt_at=time_of_text(row.next_attempt_at),
            state=ConfirmationState(row.state or ConfirmationState.AWAITED),
            reason=row.reason,
            remedy=row.remedy,
        )


def _encoded_charge(charge: ShipmentCharge) -> dict[str, Any]:
    amounts = {f"{type_.kind}{_TAX if type_.is_tax else ''}": str(amount) for type_, amount in charge.amounts.items()}
    encoded = {"posted_at": timestamp(charge.posted_at), "currency": charge.currency, "amounts": amounts}
    return {**encoded, "unknown": _texts(charge.unknown)} if charge.unknown else encoded


def _decoded_charge(transaction_id: str, data: Mapping[str, Any]) -> ShipmentCharge:
    amounts = {
        AmountType(AmountKind(name.removesuffix(_TAX)), name.endswith(_TAX)): Decimal(text)
        for name, text in data["amounts"].items()
    }
    posted_at = datetime.fromisoformat(data["posted_at"])
    return ShipmentCharge(transaction_id, posted_at, data["currency"], amounts, _amounts(data.get("unknown", {})))


def _encoded_sale(sale: StatedSale) -> dict[str, Any]:
    return {
        "version": timestamp(sale.version),
        "currency": sale.currency,
        "total": str(sale.total),
        "reductions": str(sale.reductions),
        "order_total": str(sale.order_total),
        "withheld": str(sale.withheld),
        "shipped_at": timestamp(sale.shipped_at),
        "amounts": _texts(sale.amounts),
        "is_partly_shipped": sale.is_partly_shipped,
    }


def _decoded_sale(data: Mapping[str, Any]) -> StatedSale:
    return StatedSale(
        version=datetime.fromisoformat(data["version"]),
        currency=data["currency"],
        total=Decimal(data["total"]),
        reductions=Decimal(data["reductions"]),
        order_total=Decimal(data["order_total"]),
        withheld=Decimal(data["withheld"]),
        shipped_at=datetime.fromisoformat(data["shipped_at"]),
        amounts=_amounts(data["amounts"]),
        is_partly_shipped=data["is_partly_shipped"],
    )


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {str(name): str(amount) for name, amount in amounts.items()}


def _amounts(texts: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in texts.items()}
