"""From Amazon's order to the invoice: lines, totals, dates, and why an order has no invoice or fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.order import Charge, parse_order
from amazon_to_xero.domain.amazon.shipment import Shipment
from amazon_to_xero.domain.books.document import DesiredDocument
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.domain.planning.policy import AccountCodes
from amazon_to_xero.domain.planning.sale import NotInvoiced, NotPriced, sales
from amazon_to_xero.domain.tax.rules import TaxPolicy, TaxRule
from fakes.books import ORGANISATION, POLICY
from fakes.order_life import CLEARING_ACCOUNTS, ORGANISATION_WITH_CLEARING, PAYING, desired_documents
from fakes.orders import CA, JP, UK, US, breakdown, item, order


def documents(raw: dict[str, Any], **changed: Any) -> list[DesiredDocument]:
    """Contact, invoice, and payment where there is one."""
    outcome = desired_documents(raw, **changed)
    assert isinstance(outcome, list), outcome
    return outcome


def invoice(raw: dict[str, Any], **changed: Any) -> DesiredDocument:
    return documents(raw, **changed)[1]


def lines(raw: dict[str, Any], **changed: Any) -> list[tuple[int, str, str, str]]:
    """(quantity, unit amount, account, tax type) of each line."""
    return [
        (line["Quantity"], str(line["UnitAmount"]), line["AccountCode"], line["TaxType"])
        for line in invoice(raw, **changed).body["LineItems"]
    ]


def failure_of(raw: dict[str, Any], **changed: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        desired_documents(raw, **changed)
    return caught.value


# --- lines and amounts ------------------------------------------------------------------------------------------------


def test_tax_inclusive_order_is_one_line_at_the_price_the_buyer_saw() -> None:
    made = invoice(order(item("12.50"), grand_total="12.50"))

    assert made.body["LineAmountTypes"] == "Inclusive"
    assert made.body["CurrencyCode"] == "GBP"
    assert made.body["InvoiceNumber"] == "026-0000001-0000001"
    assert made.body["Reference"] == "Amazon.co.uk 026-0000001-0000001"
    assert made.total == Decimal("12.50")
    assert lines(order(item("12.50"), grand_total="12.50")) == [(1, "12.5", "200", "OUTPUT2")]


def test_invoice_refers_to_the_customer_of_the_marketplace_and_names_no_buyer() -> None:
    customer, made = documents(order(item("12.50"), grand_total="12.50"))

    assert customer.body == {"Name": "Amazon.co.uk customers", "ContactNumber": f"AMAZON-{UK}"}
    assert made.references == {"Contact.ContactID": customer.key}
    assert "Canary" not in repr(made)


def test_each_charge_has_its_account_and_each_discount_the_tax_of_its_charge() -> None:
    raw = order(
        item(
            "15.49",
            breakdown("ITEM", "12.00"),
            breakdown("SHIPPING", "3.99"),
            breakdown("GIFT_WRAP", "2.50"),
            breakdown("DISCOUNT", "-3.00", ITEM="-2.00", SHIPPING="-1.00"),
        ),
        grand_total="15.49",
    )

    assert lines(raw) == [
        (1, "12", "200", "OUTPUT2"),
        (1, "3.99", "205", "OUTPUT2"),
        (1, "2.5", "206", "OUTPUT2"),
        (1, "-2", "210", "OUTPUT2"),
        (1, "-1", "210", "OUTPUT2"),
    ]


def test_discount_without_a_sign_is_subtracted_where_that_balances() -> None:
    raw = order(item("9.00", breakdown("ITEM", "10.00"), breakdown("DISCOUNT", "1.00")), grand_total="9.00")

    assert [line[1] for line in lines(raw)] == ["10", "-1"]


@pytest.mark.parametrize(
    ("quantity", "total", "expected"),
    [
        (3, "30.00", [(3, "10", "200", "OUTPUT2")]),
        (2, "0.01", [(2, "0.005", "200", "OUTPUT2")]),
        (3, "10.00", [(1, "10", "200", "OUTPUT2")]),  # 3.3333… has no four decimals
    ],
)
def test_unit_price_is_given_only_where_it_is_exact(quantity: int, total: str, expected: list[Any]) -> None:
    raw = order(item(total, quantity=quantity), grand_total=total)

    assert lines(raw) == expected
    if expected[0][0] != quantity:
        assert invoice(raw).body["LineItems"][0]["Description"].startswith(f"{quantity} × ")


def test_tax_collected_by_the_marketplace_in_addition_to_the_price_is_left_out() -> None:
    sold = item(
        "49.99",
        breakdown("ITEM", "39.99", "USD"),
        breakdown("TAX", "10.00", "USD"),
        currency="USD",
        facilitator=True,
    )
    made = invoice(order(sold, grand_total="49.99", marketplace=US, currency="USD", ship_to="US"))

    assert made.total == Decimal("39.99")
    assert made.body["LineAmountTypes"] == "NoTax"
    assert [(line["UnitAmount"], line["TaxType"]) for line in made.body["LineItems"]] == [(Decimal("39.99"), "NONE")]


def test_tax_collected_by_the_marketplace_within_the_price_is_taken_out_of_each_price() -> None:
    sold = item(
        "30.00",
        breakdown("ITEM", "24.00"),
        breakdown("SHIPPING", "6.00"),
        breakdown("TAX", "5.00", ITEM="4.00", SHIPPING="1.00"),
        facilitator=True,
    )
    made = invoice(order(sold, grand_total="30.00"))

    assert made.total == Decimal("25.00")
    assert [(str(line["UnitAmount"]), line["TaxType"]) for line in made.body["LineItems"]] == [
        ("20", "ZERORATEDOUTPUT"),
        ("5", "ZERORATEDOUTPUT"),
    ]


def test_tax_collected_by_the_seller_is_computed_by_xeros_rate() -> None:
    sold = item("105.00", breakdown("ITEM", "100.00", "CAD"), breakdown("TAX", "5.00", "CAD"), currency="CAD")
    made = invoice(order(sold, grand_total="105.00", marketplace=CA, currency="CAD", ship_to="CA"))

    assert made.body["LineAmountTypes"] == "Exclusive"
    assert made.total == Decimal("105.00")
    assert [(str(line["UnitAmount"]), line["TaxType"]) for line in made.body["LineItems"]] == [("100", "TAX001")]


# 10.10 at 5 % is 0.505, which Xero rounds to 0.51 and Amazon charged as 0.50.
ROUNDED = order(
    item("10.60", breakdown("ITEM", "10.10", "CAD"), breakdown("TAX", "0.50", "CAD"), currency="CAD"),
    grand_total="10.60",
    marketplace=CA,
    currency="CAD",
    ship_to="CA",
)


def test_line_states_amazons_tax_where_xero_would_round_it_otherwise() -> None:
    made = invoice(ROUNDED)

    assert [(line["AccountCode"], line.get("TaxAmount")) for line in made.body["LineItems"]] == [
        ("200", Decimal("0.5"))
    ]
    assert made.total == Decimal("10.60")


def test_difference_of_cents_is_booked_on_the_rounding_account_where_xero_computes_every_tax() -> None:
    made = invoice(ROUNDED, policy=replace(POLICY, tax=replace(POLICY.tax, state_amounts=False)))

    rounding = made.body["LineItems"][-1]
    assert (rounding["AccountCode"], str(rounding["UnitAmount"]), rounding["TaxType"]) == ("498", "-0.01", "NONE")
    assert made.total == Decimal("10.60")


def test_larger_difference_fails_with_both_totals() -> None:
    sold = item("112.00", breakdown("ITEM", "100.00", "CAD"), breakdown("TAX", "12.00", "CAD"), currency="CAD")

    failure = failure_of(order(sold, grand_total="112.00", marketplace=CA, currency="CAD", ship_to="CA"))

    assert failure.code is FailureCode.TAX_DIFFERS
    assert "112.00" in failure.remedy
    assert "105.00" in failure.remedy


def test_yen_amounts_have_no_decimals() -> None:
    raw = order(item("1980", currency="JPY"), grand_total="1980", marketplace=JP, currency="JPY", ship_to="JP")

    assert invoice(raw).total == Decimal("1980")
    assert lines(raw) == [(1, "1980", "200", "NONE")]


def test_delivery_tip_is_a_line_once_it_is_part_of_the_grand_total() -> None:
    def tipped(status: str, grand_total: str) -> dict[str, Any]:
        tip = {"type": "DELIVERY_TIP", "status": status, "subtotal": {"amount": "2.00", "currencyCode": "GBP"}}
        return order(item("10.00"), grand_total=grand_total, proceeds={"breakdowns": [tip]})

    assert lines(tipped("PENDING", "10.00")) == [(1, "10", "200", "OUTPUT2")]
    assert lines(tipped("FINALIZED", "12.00")) == [(1, "10", "200", "OUTPUT2"), (1, "2", "208", "OUTPUT2")]


def test_delivery_tip_of_goods_that_were_discounted_to_nothing_is_taxed_like_them() -> None:
    tip = {"type": "DELIVERY_TIP", "status": "FINALIZED", "subtotal": {"amount": "2.00", "currencyCode": "GBP"}}
    cancelled = item("0.00", quantity=0, item_id="1") | {"proceeds": {}}
    free = item("0.00", breakdown("ITEM", "10.00"), breakdown("DISCOUNT", "10.00"), item_id="2")

    made = lines(order(cancelled, free, grand_total="2.00", proceeds={"breakdowns": [tip]}))

    assert made[-1] == (1, "2", "208", "OUTPUT2")


def test_delivery_tip_of_a_tax_exclusive_order_has_no_tax() -> None:
    tip = {"type": "DELIVERY_TIP", "status": "FINALIZED", "subtotal": {"amount": "2.00", "currencyCode": "CAD"}}
    sold = item("10.50", breakdown("ITEM", "10.00", "CAD"), breakdown("TAX", "0.50", "CAD"), currency="CAD")
    raw = order(sold, grand_total="12.50", proceeds={"breakdowns": [tip]}, marketplace=CA, currency="CAD", ship_to="CA")

    assert lines(raw) == [(1, "10", "200", "TAX001"), (1, "2", "208", "NONE")]
    assert invoice(raw).total == Decimal("12.50")


def test_tax_on_a_discount_reduces_the_tax_whichever_sign_amazon_uses() -> None:
    parts = breakdown("ITEM", "40.00", "CAD"), breakdown("DISCOUNT", "-20.00", "CAD")
    for written in ("1.00", "-1.00"):
        tax = breakdown("TAX", "1.00", "CAD", ITEM="2.00", DISCOUNT=written)
        raw = order(
            item("21.00", *parts, tax, currency="CAD"),
            grand_total="21.00",
            marketplace=CA,
            currency="CAD",
            ship_to="CA",
        )
        assert invoice(raw).total == Decimal("21.00")


def test_account_is_taken_from_the_settings() -> None:
    policy = replace(POLICY, accounts=AccountCodes({Charge.ITEM: "4000"}, "4900"))

    assert lines(order(item("1.00"), grand_total="1.00"), policy=policy)[0][2] == "4000"


AMOUNTS = st.decimals(min_value=0, max_value=9999, places=2)


@given(
    goods=st.lists(st.tuples(AMOUNTS, AMOUNTS, st.integers(1, 7), AMOUNTS), min_size=1, max_size=5),
    written_negative=st.booleans(),
)
def test_lines_add_up_to_amazons_grand_total(goods: list[Any], written_negative: bool) -> None:
    """Draw prices, shipping, discounts and quantities, with either sign of discounts."""
    items, grand_total = [], Decimal(0)
    for number, (price, shipping, quantity, discount) in enumerate(goods):
        reduced = min(discount, price + shipping)
        total = price + shipping - reduced
        grand_total += total
        written = -reduced if written_negative else reduced
        parts = [breakdown("ITEM", str(price)), breakdown("SHIPPING", str(shipping))]
        parts.append(breakdown("DISCOUNT", str(written)))
        items.append(item(str(total), *parts, quantity=quantity, item_id=str(number)))
    raw = order(*items, grand_total=str(grand_total))

    if grand_total == 0:
        assert desired_documents(raw) == NotInvoiced("ZERO_VALUE")
        return
    made = invoice(raw)
    assert made.total == grand_total
    cents = Decimal("0.01")
    assert (
        sum((line["Quantity"] * line["UnitAmount"]).quantize(cents) for line in made.body["LineItems"]) == grand_total
    )


def without_amounts(**more: Any) -> dict[str, Any]:
    """An order of which Amazon states no amounts."""
    raw = order(item("0"), **more)
    raw["orderItems"][0]["proceeds"] = {}
    return raw


# --- orders without an invoice ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (order(item("1.00"), status="PENDING"), "ORDER_PENDING"),
        (order(item("1.00"), status="PENDING_AVAILABILITY"), "ORDER_PENDING"),
        (order(item("1.00"), status="CANCELLED", grand_total="7.00"), "ORDER_CANCELLED"),
        (order(item("1.00"), status="UNFULFILLABLE"), "UNFULFILLABLE"),
        (order(item("1.00"), salesChannel={"channelName": "NON_AMAZON"}), "MULTI_CHANNEL"),
        (order(item("0.00"), grand_total="0.00"), "ZERO_VALUE"),
        (
            order(
                item("0.00"),
                grand_total="0.00",
                associatedOrders=[{"orderId": "026-1", "associationType": "REPLACEMENT_ORIGINAL_ID"}],
            ),
            "REPLACEMENT",
        ),
        (
            without_amounts(associatedOrders=[{"orderId": "026-1", "associationType": "EXCHANGE_ORIGINAL_ID"}]),
            "REPLACEMENT",
        ),
        (order(item("0.00"), item("0.00", item_id="2")), "ZERO_VALUE"),  # Vine: no total of the order
    ],
)
def test_order_that_is_no_sale_has_no_invoice(raw: dict[str, Any], reason: str) -> None:
    assert desired_documents(raw) == NotInvoiced(reason)


def test_order_placed_and_shipped_before_the_start_has_no_invoice() -> None:
    late_start = replace(POLICY, start=datetime(2026, 11, 3, tzinfo=UTC))

    assert desired_documents(order(item("1.00"), grand_total="1.00"), late_start) == NotInvoiced("BEFORE_START")


def test_order_without_amounts_is_not_priced_rather_than_zero() -> None:
    assert desired_documents(without_amounts(status="UNSHIPPED")) == NotPriced("PROCEEDS_MISSING")


def test_order_without_a_total_is_not_priced_while_one_of_its_items_has_no_amount() -> None:
    raw = without_amounts()
    raw["orderItems"].append(item("0.00", item_id="2"))

    assert desired_documents(raw) == NotPriced("PROCEEDS_MISSING")


def test_exchange_with_a_charge_is_invoiced() -> None:
    related = [{"orderId": "026-1", "associationType": "EXCHANGE_ORIGINAL_ID"}]

    assert invoice(order(item("5.00"), grand_total="5.00", associatedOrders=related)).total == Decimal("5.00")


# --- orders that fail -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (order(item("1.00"), grand_total="1.00", salesChannel={"channelName": "A_NEW_ONE"}), "ORDER_MALFORMED"),
        (order(item("1.00"), grand_total="1.00", marketplace="A_NEW_ONE"), "UNKNOWN_MARKETPLACE"),
        (order(item("1.00"), grand_total="1.01"), "ORDER_TOTAL_DIFFERS"),
        (order(item("1.00", breakdown("ITEM", "0.99")), grand_total="1.00"), "ITEM_TOTAL_DIFFERS"),
        (
            order(
                item("9.00", breakdown("ITEM", "10.00"), breakdown("DISCOUNT", "-1.00", ITEM="-0.50")),
                grand_total="9.00",
            ),
            "DETAIL_DIFFERS",
        ),
        (order(item("1.00"), item("1.00", currency="EUR"), grand_total="2.00"), "MIXED_CURRENCIES"),
        (order(item("1.00", currency="EUR"), grand_total="1.00", currency="EUR"), "CURRENCY_NOT_SUBSCRIBED"),
        (order(item("1.00"), grand_total="1.00", status="TELEPORTED"), "UNKNOWN_STATUS"),
        (order(item("1.001"), grand_total="1.001"), "TOO_MANY_DECIMALS"),
        (order(item("one pound"), grand_total="1.00"), "ORDER_MALFORMED"),
        (order(item("5.00", breakdown("OTHER", "5.00")), grand_total="5.00"), "ACCOUNT_UNMAPPED"),
        (
            order(
                item("12.00", breakdown("ITEM", "10.00"), breakdown("TAX", "2.00")),
                grand_total="12.00",
            ),
            "TAX_MODE_MISMATCH",
        ),
    ],
)
def test_order_that_cannot_be_invoiced_fails_with_a_code_and_a_remedy(raw: dict[str, Any], code: str) -> None:
    failure = failure_of(raw)

    assert failure.code == code
    assert "Canary" not in str(failure)
    assert len(failure.remedy) > 30


def test_order_that_no_tax_rule_matches_fails_instead_of_taking_a_default() -> None:
    without_rules = replace(POLICY, tax=TaxPolicy(()))

    failure = failure_of(order(item("1.00"), grand_total="1.00"), policy=without_rules)

    assert failure.code is FailureCode.TAX_UNMAPPED
    assert UK in failure.remedy
    assert "GB" in failure.remedy


@pytest.mark.parametrize("tax_type", ["INPUT2", "OLD", "NO_SUCH"])
def test_tax_rate_that_cannot_be_used_on_sales_fails(tax_type: str) -> None:
    policy = replace(POLICY, tax=TaxPolicy((TaxRule(tax_type, LineAmountTypes.INCLUSIVE),)))

    assert failure_of(order(item("1.00"), grand_total="1.00"), policy=policy).code is FailureCode.TAX_RATE_UNUSABLE


def test_items_whose_rules_disagree_on_inclusive_and_exclusive_amounts_fail() -> None:
    policy = replace(
        POLICY,
        tax=TaxPolicy(
            (
                TaxRule(
                    "TAX001", LineAmountTypes.EXCLUSIVE, amazon_tax=None, responsible=None, ship_to=frozenset({"XX"})
                ),
                TaxRule("ZERORATEDOUTPUT", LineAmountTypes.EXCLUSIVE, responsible=POLICY.tax.rules[0].responsible),
                TaxRule("OUTPUT2", LineAmountTypes.INCLUSIVE),
            )
        ),
    )
    zero = item("1.00", breakdown("ITEM", "1.00"), breakdown("TAX", "0.00"), facilitator=True)
    raw = order(zero, item("1.00", item_id="2"), grand_total="2.00")

    assert failure_of(raw, policy=policy).code is FailureCode.TAX_MODE_CONFLICT


# --- texts ------------------------------------------------------------------------------------------------------------


def described(title: str | None, sku: str | None = "TEA-50", **more: Any) -> list[str]:
    """Return the descriptions of the lines of an order over one item with a discount."""
    sold = item("9.00", breakdown("ITEM", "10.00"), breakdown("DISCOUNT", "-1.00"), **more)
    sold["product"] |= {"title": title, "sellerSku": sku}
    return [line["Description"] for line in invoice(order(sold, grand_total="9.00")).body["LineItems"]]


@pytest.mark.parametrize(
    ("title", "sku", "name"),
    [
        ("Tea\x0b 50\x00bags\ud83d", "TEA\x1f50", "Tea 50 bags (TEA 50)"),
        ("\x00\u200b", "TEA-50", "TEA-50"),
        ("\x00", "\x01", "10000000000001"),
    ],
)
def test_descriptions_have_no_characters_that_xero_refuses(title: str, sku: str, name: str) -> None:
    assert described(title, sku) == [name, f"Discount: {name}"]


def test_descriptions_are_cut_where_xero_counts_4000() -> None:
    goods, discount = described("🍵" * 2500)

    assert goods == "🍵" * 2000
    assert discount == "Discount: " + "🍵" * 1995
    (several, _) = described("🍵" * 2500, quantity=3)
    assert several == "3 × " + "🍵" * 1998


def test_reference_has_no_characters_that_xero_refuses() -> None:
    package = {"packageReferenceId": "1", "carrier": "DHL\x00", "trackingNumber": "JD\x0b 1\n2"}
    blank = {**package, "carrier": "\x00", "trackingNumber": "\x01"}
    raw = order(item("1.00"), grand_total="1.00", order_id="A", packages=[package])

    assert invoice(raw).body["Reference"] == "Amazon.co.uk A · DHL JD 1 2"
    assert invoice({**raw, "packages": [blank]}).body["Reference"] == "Amazon.co.uk A"


# --- dates ------------------------------------------------------------------------------------------------------------


def test_shipped_order_is_approved_and_dated_on_the_organisations_day_of_shipment() -> None:
    # Given 23:30 UTC on 30 June, which is 1 July in London
    shipped = order(
        item("1.00"),
        grand_total="1.00",
        created="2026-06-28T10:00:00Z",
        updated="2026-07-03T10:00:00Z",
        packages=[{"packageReferenceId": "1", "shipTime": "2026-06-30T23:30:00Z"}],
    )
    made = invoice(shipped)

    assert (made.body["Status"], made.body["Date"], made.body["DueDate"]) == ("AUTHORISED", "2026-07-01", "2026-07-01")


def test_unshipped_order_is_a_draft_dated_on_the_day_it_was_placed() -> None:
    made = invoice(order(item("1.00"), grand_total="1.00", status="UNSHIPPED", created="2026-06-30T23:30:00Z"))

    assert (made.body["Status"], made.body["Date"]) == ("DRAFT", "2026-07-01")


def test_invoice_keeps_its_date_when_packages_are_named_later() -> None:
    shipped = order(
        item("1.00"), grand_total="1.00", packages=[{"packageReferenceId": "1", "shipTime": "2026-11-09T10:00:00Z"}]
    )
    first_seen = datetime(2026, 11, 5, tzinfo=UTC)

    made = sales(parse_order(shipped), (Shipment("", first_seen),), POLICY, ORGANISATION)

    assert isinstance(made, list)
    assert [sale.booked_on.isoformat() for sale in made] == ["2026-11-05"]


# --- payments ---------------------------------------------------------------------------------------------------------


def with_clearing_account(**changed: Any) -> Organisation:
    """Return the organisation with a changed clearing account for pounds."""
    account = replace(CLEARING_ACCOUNTS["CLR-GBP"], **changed)
    return replace(ORGANISATION_WITH_CLEARING, accounts={**ORGANISATION_WITH_CLEARING.accounts, "CLR-GBP": account})


def test_approved_invoice_is_paid_in_full_from_clearing_on_its_own_day() -> None:
    raw = order(item("12.50"), grand_total="12.50")
    _, made, payment = documents(raw, policy=PAYING, organisation=ORGANISATION_WITH_CLEARING)

    assert payment.body["Amount"] == made.total == Decimal("12.50")
    assert payment.body["Account"] == {"Code": "CLR-GBP"}
    assert payment.body["Date"] == made.body["Date"]
    assert payment.references == {"Invoice.InvoiceID": made.key}


def test_draft_and_invoice_in_a_currency_without_clearing_account_are_not_paid() -> None:
    draft = order(item("1.00"), grand_total="1.00", status="UNSHIPPED")
    yen = order(item("1980", currency="JPY"), grand_total="1980", marketplace=JP, currency="JPY", ship_to="JP")

    assert len(documents(draft, policy=PAYING, organisation=ORGANISATION_WITH_CLEARING)) == 2
    assert len(documents(yen, policy=PAYING, organisation=ORGANISATION_WITH_CLEARING)) == 2


def test_trailing_zeros_of_the_amount_do_not_change_the_payment() -> None:
    one, other = (
        documents(order(item(text), grand_total=text), policy=PAYING, organisation=ORGANISATION_WITH_CLEARING)[2]
        for text in ("49.90", "49.9")
    )

    assert one.digest == other.digest


@pytest.mark.parametrize("changed", [{"active": False}, {"takes_payments": False}, {"currency": "USD"}])
def test_clearing_account_that_cannot_take_the_payment_fails_before_anything_is_posted(
    changed: dict[str, Any],
) -> None:
    raw = order(item("1.00"), grand_total="1.00")
    failure = failure_of(raw, policy=PAYING, organisation=with_clearing_account(**changed))

    assert failure.code is FailureCode.CLEARING_UNUSABLE
    assert "CLR-GBP" in failure.remedy


# --- tax that is not the seller's -------------------------------------------------------------------------------------


def test_item_whose_tax_the_marketplace_owes_never_takes_a_rule_with_a_rate() -> None:
    careless = replace(POLICY, tax=TaxPolicy((TaxRule("OUTPUT2", LineAmountTypes.INCLUSIVE),)))

    sold = item("12.00", breakdown("ITEM", "12.00"), breakdown("TAX", "2.00"), facilitator=True)
    failure = failure_of(order(sold, grand_total="12.00"), policy=careless)

    assert failure.code is FailureCode.TAX_OWED_BY_MARKETPLACE


def test_rule_without_tax_amounts_and_a_rate_above_zero_fails() -> None:
    careless = replace(POLICY, tax=TaxPolicy((TaxRule("OUTPUT2", LineAmountTypes.NO_TAX),)))

    failure = failure_of(order(item("12.00"), grand_total="12.00"), policy=careless)

    assert failure.code is FailureCode.TAX_MODE_CONFLICT
