"""The worked examples of docs/bookkeeping.md, computed by the production code from orders as Amazon states them.

Each example is a short history of one order. Its settings are those of infra/local/connection.json but for what the
example is about; its organisation is a small British one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from amazon_to_xero.domain.books.contact import ContactPolicy, ContactScope
from amazon_to_xero.domain.books.organisation import LockDates
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.planning.account_rules import AccountRule, AccountRules, LineType
from amazon_to_xero.domain.planning.policy import InvoicePer
from documentation.example_books import ORGANISATION, POLICY, ExampleOrder
from documentation.example_orders import CANADA, US, breakdown, item, order, package, refund
from documentation.markdown import table

_MUG = item("MUG-BLUE", "Blue mug", "24.00", breakdown("ITEM", "24.00"), quantity=3)


def sale() -> str:
    """An order with shipping and a discount: draft, then approved and paid."""
    kettle = item(
        "KETTLE-1",
        "Kettle",
        "25.99",
        breakdown("ITEM", "24.00", "GBP"),
        breakdown("SHIPPING", "4.99"),
        breakdown("DISCOUNT", "-3.00", ITEM="-3.00"),
        breakdown("TAX", "4.33", ITEM="4.00", SHIPPING="0.83", DISCOUNT="-0.50"),
    )
    history = ExampleOrder()
    return _story(
        ("2 November 2026, 10:00 UTC: the buyer has paid, Amazon confirms the order.", history.becomes(order(kettle))),
        (
            "4 November 2026, 16:30 UTC: everything has shipped.",
            history.becomes(order(kettle, status="SHIPPED", updated="2026-11-04T16:30:00Z")),
        ),
    )


def partial_per_order() -> str:
    return _partial(InvoicePer.ORDER)


def partial_per_shipment() -> str:
    return _partial(InvoicePer.SHIPMENT)


def _partial(per: InvoicePer) -> str:
    history = ExampleOrder(replace(POLICY, invoice_per=per))
    first = package("1", "2026-11-04T16:30:00Z", 2)
    second = package("2", "2026-11-09T11:00:00Z", 1)
    return _story(
        (
            "4 November 2026, 16:30 UTC: two of three mugs have shipped.",
            history.becomes(order(_MUG, status="PARTIALLY_SHIPPED", updated="2026-11-04T16:30:00Z", packages=[first])),
        ),
        (
            "9 November 2026, 11:00 UTC: the third mug has shipped.",
            history.becomes(order(_MUG, status="SHIPPED", updated="2026-11-09T11:00:00Z", packages=[first, second])),
        ),
    )


def price_before_payment() -> str:
    history = ExampleOrder()
    cheaper = item("MUG-BLUE", "Blue mug", "18.00", breakdown("ITEM", "18.00"), quantity=3)
    return _story(
        ("2 November 2026, 10:00 UTC: confirmed.", history.becomes(order(_MUG))),
        (
            "3 November 2026, 09:00 UTC: the price falls to 6.00 GBP a mug.",
            history.becomes(order(cheaper, updated="2026-11-03T09:00:00Z")),
        ),
    )


def price_after_payment() -> str:
    history = ExampleOrder()
    cheaper = item("MUG-BLUE", "Blue mug", "18.00", breakdown("ITEM", "18.00"), quantity=3)
    tipped = order(cheaper, status="SHIPPED", updated="2026-11-07T09:00:00Z", grand_total="20.00", tip="2.00")
    return _story(
        ("4 November 2026, 16:30 UTC: shipped.", history.becomes(_shipped(_MUG, "2026-11-04T16:30:00Z"))),
        (
            "6 November 2026, 09:00 UTC: the price falls to 6.00 GBP a mug.",
            history.becomes(_shipped(cheaper, "2026-11-06T09:00:00Z")),
        ),
        ("7 November 2026, 09:00 UTC: the buyer adds a delivery tip of 2.00 GBP.", history.becomes(tipped)),
    )


def cancellation_before_payment() -> str:
    history = ExampleOrder()
    return _story(
        ("2 November 2026, 10:00 UTC: confirmed.", history.becomes(order(_MUG))),
        (
            "3 November 2026, 09:00 UTC: the buyer cancels.",
            history.becomes(order(_MUG, status="CANCELLED", updated="2026-11-03T09:00:00Z")),
        ),
    )


def cancellation_after_payment() -> str:
    history = ExampleOrder()
    return _story(
        ("4 November 2026, 16:30 UTC: shipped.", history.becomes(_shipped(_MUG, "2026-11-04T16:30:00Z"))),
        (
            "8 November 2026, 09:00 UTC: the package is lost, Amazon cancels the order.",
            history.becomes(order(_MUG, status="CANCELLED", updated="2026-11-08T09:00:00Z")),
        ),
    )


def refund_of_a_return() -> str:
    """A return: the buyer gets the price less the discount, not the shipping; Amazon keeps part of its commission."""
    kettle = item(
        "KETTLE-1",
        "Kettle",
        "25.99",
        breakdown("ITEM", "24.00", "GBP"),
        breakdown("SHIPPING", "4.99"),
        breakdown("DISCOUNT", "-3.00", ITEM="-3.00"),
    )
    history = ExampleOrder()
    history.becomes(_shipped(kettle, "2026-11-04T16:30:00Z"))
    refunded = refund(
        "2026-11-12T09:00:00Z",
        "KETTLE-1",
        "-15.85",
        OurPricePrincipal="-24.00",
        OurPriceDiscount="3.00",
        RestockingDeductionPrincipal="2.00",
        Commission="3.90",
        RefundCommission="-0.75",
    )
    return _story(("12 November 2026, 09:00 UTC: Amazon refunds a return.", history.is_refunded(refunded)))


def refund_after_price_change() -> str:
    """A price change after payment, then a refund that contains it."""
    history = ExampleOrder()
    history.becomes(_shipped(_MUG, "2026-11-04T16:30:00Z"))
    cheaper = item("MUG-BLUE", "Blue mug", "18.00", breakdown("ITEM", "18.00"), quantity=3)
    refunded = refund("2026-11-12T09:00:00Z", "MUG-BLUE", "-10.00", OurPricePrincipal="-10.00")
    return _story(
        (
            "6 November 2026, 09:00 UTC: the price falls to 6.00 GBP a mug.",
            history.becomes(_shipped(cheaper, "2026-11-06T09:00:00Z")),
        ),
        ("12 November 2026, 09:00 UTC: Amazon states a refund of 10.00 GBP.", history.is_refunded(refunded)),
    )


def marketplace_collected() -> str:
    history = ExampleOrder()
    mugs = item(
        "MUG-BLUE",
        "Blue mug",
        "18.00",
        breakdown("ITEM", "18.00"),
        breakdown("TAX", "3.00"),
        quantity=3,
        facilitator=True,
    )
    return _story(
        (
            "4 November 2026, 16:30 UTC: shipped. Amazon owes the VAT.",
            history.becomes(_shipped(mugs, "2026-11-04T16:30:00Z")),
        )
    )


def us_sales_tax() -> str:
    history = ExampleOrder()
    towels = item(
        "TOWEL-2",
        "Towel",
        "49.50",
        breakdown("ITEM", "40.00", "USD"),
        breakdown("SHIPPING", "5.00", "USD"),
        breakdown("TAX", "4.50", "USD", ITEM="4.00", SHIPPING="0.50"),
        quantity=2,
        currency="USD",
        facilitator=True,
    )
    shipped = order(
        towels, status="SHIPPED", updated="2026-11-04T16:30:00Z", marketplace=US, currency="USD", ship_to="US"
    )
    return _story(
        ("4 November 2026, 16:30 UTC: shipped. Amazon collected 4.50 USD sales tax.", history.becomes(shipped))
    )


def canada() -> str:
    history = ExampleOrder()
    towels = item(
        "TOWEL-2",
        "Towel",
        "42.00",
        breakdown("ITEM", "40.00", "CAD"),
        breakdown("TAX", "2.00", "CAD"),
        quantity=2,
        currency="CAD",
    )
    return _story(
        ("4 November 2026, 16:30 UTC: shipped. The seller owes 2.00 CAD GST.", history.becomes(_canadian(towels)))
    )


def rounding() -> str:
    history = ExampleOrder()
    towels = item(
        "TOWEL-2",
        "Towel",
        "21.21",
        breakdown("ITEM", "10.10", "CAD"),
        breakdown("SHIPPING", "10.10", "CAD"),
        breakdown("TAX", "1.01", "CAD", ITEM="0.51", SHIPPING="0.50"),
        currency="CAD",
    )
    return _story(("4 November 2026, 16:30 UTC: shipped, with 1.01 CAD GST.", history.becomes(_canadian(towels))))


def account_rules() -> str:
    """The order of the first example, by a seller whose kitchen goods have an account and a tracking option."""
    kettle = item(
        "KETTLE-1",
        "Kettle",
        "25.99",
        breakdown("ITEM", "24.00", "GBP"),
        breakdown("SHIPPING", "4.99"),
        breakdown("DISCOUNT", "-3.00", ITEM="-3.00"),
    )
    goods = frozenset({LineType.ITEM, LineType.DISCOUNT})
    rules = (
        AccountRule(tracking=(("Team", "Kitchen"),), skus=("KETTLE-*", "MUG-*")),
        AccountRule("201", skus=("KETTLE-*", "MUG-*"), charges=goods),
    )
    history = ExampleOrder(replace(POLICY, account_rules=AccountRules(rules)))
    return _story(
        ("4 November 2026, 16:30 UTC: shipped.", history.becomes(_shipped(kettle, "2026-11-04T16:30:00Z"))),
    )


def lock_dates() -> str:
    locked = replace(ORGANISATION, period_lock=date(2026, 10, 31))
    shipped = order(_MUG, status="SHIPPED", updated="2026-10-30T16:30:00Z", created="2026-10-28T10:00:00Z")
    try:
        ExampleOrder(POLICY, locked).becomes(shipped)
    except Failure as failure:
        refused = f"The order fails with `{failure.code}`: {failure.remedy}"
    moving = ExampleOrder(replace(POLICY, lock_dates=LockDates.NEXT_OPEN_DAY), locked)
    return "\n\n".join(
        (
            "Shipped on 30 October 2026; Xero is locked until 31 October 2026.",
            f"With `invoices.lock_dates: hold` (the default): {refused[0].lower()}{refused[1:]}",
            "With `invoices.lock_dates: next_open_day`:",
            moving.becomes(shipped),
        )
    )


def buyer_contact() -> str:
    policy = replace(POLICY, contacts=ContactPolicy(ContactScope.BUYERS))
    details = ExampleOrder(policy).customer(order(_MUG)).details or {}
    return table(("Field of the contact in Xero", "Value"), [(f"`{name}`", value) for name, value in _flat(details)])


def _flat(details: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for name, value in details.items():
        if isinstance(value, list):
            for each in value:
                fields += _flat(each, f"{prefix}{name}.")
        else:
            fields.append((f"{prefix}{name}", str(value)))
    return fields


def _shipped(goods: Mapping[str, Any], updated: str) -> dict[str, Any]:
    return order(goods, status="SHIPPED", updated=updated)


def _canadian(goods: Mapping[str, Any]) -> dict[str, Any]:
    return order(
        goods,
        status="SHIPPED",
        updated="2026-11-04T16:30:00Z",
        marketplace=CANADA,
        currency="CAD",
        ship_to="CA",
    )


def _story(*chapters: tuple[str, str]) -> str:
    """Return each event with the documents that change."""
    return "\n\n".join(f"**{event}**\n\n{documents}" for event, documents in chapters)


PARTS: Mapping[str, Callable[[], str]] = {
    "example-sale": sale,
    "example-partial-per-order": partial_per_order,
    "example-partial-per-shipment": partial_per_shipment,
    "example-price-before-payment": price_before_payment,
    "example-price-after-payment": price_after_payment,
    "example-cancellation-before-payment": cancellation_before_payment,
    "example-cancellation-after-payment": cancellation_after_payment,
    "example-refund": refund_of_a_return,
    "example-refund-after-price-change": refund_after_price_change,
    "example-marketplace-collected": marketplace_collected,
    "example-us-sales-tax": us_sales_tax,
    "example-canada": canada,
    "example-rounding": rounding,
    "example-account-rules": account_rules,
    "example-lock-dates": lock_dates,
    "example-buyer-contact": buyer_contact,
}
