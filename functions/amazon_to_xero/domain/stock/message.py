"""What a person reads of alerts: what changed, where, how many units, since when, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from amazon_to_xero.domain.amazon.stock import Channel, StockQuantities
from amazon_to_xero.domain.stock.alert import AlertKind, StockAlert
from amazon_to_xero.domain.stock.policy import StockPolicy

_MAX_LISTED = 200  # alerts in one message; SNS takes 256 KB
_MAX_NAME = 100  # characters of a product's name
_K = AlertKind
_SUMMARIES: Mapping[AlertKind, str] = {
    _K.OUT: "out of stock",
    _K.STRANDED: "none of the units can be sold",
    _K.SUDDEN_DROP: "sudden drop",
    _K.LOW: "low stock",
    _K.MORE_UNFULFILLABLE: "more unfulfillable units",
    _K.BACK: "in stock again",
}
_ACTIONS: Mapping[AlertKind, str] = {
    _K.OUT: "Send units to Amazon, or close the offer.",
    _K.STRANDED: "Check the units in Seller Central, under Fix stranded inventory, and remove or recover them.",
    _K.SUDDEN_DROP: "Check in Seller Central whether they were sold, and if not, where they are.",
    _K.LOW: "Send units to Amazon if the SKU should stay in stock.",
    _K.MORE_UNFULFILLABLE: "Check the reasons in Seller Central, and order a removal or a claim.",
    _K.BACK: "No action is needed.",
}
_MERCHANT_ACTIONS: Mapping[AlertKind, str] = {
    **_ACTIONS,
    _K.OUT: "Enter the quantity in Seller Central once you have units, or close the offer.",
    _K.LOW: "Order units if the SKU should stay in stock.",
    _K.SUDDEN_DROP: "Check the quantity in Seller Central: a listing feed may have set it.",
}


def subject_of(connection: str, alerts: Sequence[StockAlert], policy: StockPolicy) -> str:
    """Return the subject of the message about these alerts, in ASCII, which SNS requires."""
    if len(alerts) == 1:
        (alert,) = alerts
        place = policy.place_name(alert.channel, alert.pool)
        text = f"{_SUMMARIES[alert.kind].capitalize()}: {alert.sku}, {place} ({connection})"
    else:
        counts = Counter(alert.kind for alert in alerts)
        named = ", ".join(f"{counts[kind]} {_SUMMARIES[kind]}" for kind in AlertKind if counts[kind])
        text = f"Inventory alerts ({connection}): {named}"
    return text.encode("ascii", "replace").decode()


def message_of(connection: str, alerts: Sequence[StockAlert], policy: StockPolicy) -> str:
    """Return the message about these alerts, the most urgent first."""
    kinds = list(AlertKind)
    listed = sorted(alerts, key=lambda alert: (kinds.index(alert.kind), alert.sku, alert.pool))
    parts = [alert_text(alert, policy) for alert in listed[:_MAX_LISTED]]
    if further := len(listed) - len(parts):
        parts.append(f"And {further} further alerts. Each is an event Inventory Alert on the stack's event bus.")
    parts.append(f"Connection {connection}. This system never changes stock. Thresholds: docs/settings.md, inventory.")
    return "\n\n".join(parts)


def alert_text(alert: StockAlert, policy: StockPolicy) -> str:
    """Return the lines about one alert."""
    name = f" ({alert.product_name[:_MAX_NAME]})" if alert.product_name else ""
    place = policy.place_name(alert.channel, alert.pool)
    headline = f"{_SUMMARIES[alert.kind].upper()}: {alert.sku}{name}, {place}."
    return "\n".join([headline, " ".join(_sentences(alert)), _action(alert)])


def _sentences(alert: StockAlert) -> Iterator[str]:
    yield f"{_units(alert.quantities.fulfillable)} can be sold since {_time(alert.at)}."
    if alert.fulfillable_before is not None and alert.before_at is not None:
        yield f"Before: {alert.fulfillable_before}, as of {_time(alert.before_at)}."
    if alert.kind is AlertKind.BACK and alert.since is not None:
        yield f"It was out of stock since {_time(alert.since)}."
    if alert.kind is AlertKind.LOW:
        yield f"The threshold is {_units(alert.low_units)}."
    if alert.sold_a_day:
        yield f"About {alert.sold_a_day.normalize():f} are sold a day{_cover(alert)}."
    yield from _other_quantities(alert.quantities)


def _cover(alert: StockAlert) -> str:
    units, rate = alert.quantities.fulfillable, alert.sold_a_day
    return f": enough for about {int(units / rate)} days" if units and rate else ""


def _other_quantities(quantities: StockQuantities) -> Iterator[str]:
    """Yield what Amazon holds beside what can be sold; nothing for kinds that are zero or not stated."""
    texts: Sequence[tuple[int | None, Callable[[int], str]]] = (
        (quantities.inbound, lambda units: f"{units} on the way to Amazon"),
        (quantities.reserved, lambda units: f"{units} reserved"),
        (quantities.unfulfillable, lambda units: f"{units} unfulfillable{_kinds(quantities)}"),
        (quantities.researching, lambda units: f"{units} that Amazon is looking for"),
    )
    stated = [text(units) for units, text in texts if units]
    if stated:
        yield f"Besides: {', '.join(stated)}."


def _kinds(quantities: StockQuantities) -> str:
    kinds = ", ".join(f"{units} {kind}" for kind, units in quantities.unfulfillable_kinds.items())
    return f" ({kinds})" if kinds else ""


def _action(alert: StockAlert) -> str:
    is_merchant = alert.channel is Channel.MERCHANT
    return (_MERCHANT_ACTIONS if is_merchant else _ACTIONS)[alert.kind]


def _units(units: int | None) -> str:
    return "An unknown number of units" if units is None else f"{units} unit{'' if units == 1 else 's'}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
