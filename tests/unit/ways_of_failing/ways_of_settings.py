"""Orders that the settings, or the accounts, rates, currencies and lock dates in Xero, do not fit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from amazon_to_xero.domain.failures import FailureCode
from fakes.orders import CA, UK, breakdown, item
from unit.ways_of_failing.operated_stack import DAY, HOUR, OperatedStack
from unit.ways_of_failing.way import ORDER, Steps, correct, replay, sale, way

_C = FailureCode
TURKEY, GERMANY = "A33AVAJ2PDY3EV", "A1PA6795UKMFR9"
IN_GERMANY: dict[str, Any] = {"currency": "EUR", "marketplace": GERMANY, "ship_to": "DE"}
TO_SWITZERLAND: dict[str, Any] = {**IN_GERMANY, "ship_to": "CH"}
IN_CANADA: dict[str, Any] = {"currency": "CAD", "marketplace": CA, "ship_to": "CA"}
BRITISH_RULE = {"marketplaces": [UK], "amounts": "inclusive", "tax_type": "OUTPUT2"}


def rules(*more: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with these tax rules after the British one."""
    return {"tax": {"rules": [BRITISH_RULE, *more]}}


def wrapped() -> dict[str, Any]:
    """Return a sale with gift wrap, which is booked on account 206."""
    return sale("10.00", item("10.00", breakdown("ITEM", "9.00"), breakdown("GIFT_WRAP", "1.00")))


def taxed_in_canada(tax: str) -> dict[str, Any]:
    """Return a sale of 10.00 CAD, of which this is the tax that Amazon adds to the price."""
    price = str(Decimal("10.00") - Decimal(tax))
    sold = item("10.00", breakdown("ITEM", price, "CAD"), breakdown("TAX", tax, "CAD"), currency="CAD")
    return sale("10.00", sold, **IN_CANADA)


def corrected_in_the_settings(stack: OperatedStack, order: dict[str, Any], corrected: dict[str, Any]) -> Steps:
    stack.notify_orders(order)
    yield
    stack.correct_settings(corrected)
    replay(stack)


# --- settings ---------------------------------------------------------------------------------------------------------


@way(_C.UNKNOWN_MARKETPLACE)
def marketplace_that_is_not_in_the_settings(stack: OperatedStack) -> Steps:
    marketplaces = [*stack.settings["amazon"]["marketplaces"], TURKEY]
    rule = {"marketplaces": [TURKEY], "amounts": "inclusive", "tax_type": "OUTPUT2"}
    corrected = {"amazon": {"marketplaces": marketplaces}, **rules(rule)}
    return corrected_in_the_settings(stack, sale(marketplace=TURKEY), corrected)


@way(_C.ACCOUNT_UNMAPPED)
def charge_without_an_account(stack: OperatedStack) -> Steps:
    order = sale("10.00", item("10.00", breakdown("ITEM", "9.00"), breakdown("OTHER_FEE", "1.00")))
    return corrected_in_the_settings(stack, order, {"accounts": {"other": "205"}})


@way(_C.TAX_UNMAPPED)
def destination_without_a_tax_rule(stack: OperatedStack) -> Steps:
    rule = {"ship_to": ["CH"], "amounts": "inclusive", "tax_type": "ZERORATEDOUTPUT"}
    return corrected_in_the_settings(stack, sale(**TO_SWITZERLAND), rules(rule))


@way(_C.TAX_UNMATCHED, tax={"mode": "matching"})
def destination_whose_rate_is_not_in_the_organisation(stack: OperatedStack) -> Steps:
    rule = {"ship_to": ["CH"], "amounts": "inclusive", "tax_type": "ZERORATEDOUTPUT"}
    taxed = item(
        "10.00", breakdown("ITEM", "10.00", "EUR"), breakdown("TAX", "0.75", "EUR", ITEM="0.75"), currency="EUR"
    )
    corrected = {"tax": {**rules(rule)["tax"], "when_different": "book"}}
    return corrected_in_the_settings(stack, sale("10.00", taxed, **TO_SWITZERLAND), corrected)


@way(_C.TAX_MODE_MISMATCH, **rules({"marketplaces": [CA], "amounts": "inclusive", "tax_type": "TAX001"}))
def tax_that_is_added_to_the_prices(stack: OperatedStack) -> Steps:
    corrected = rules({"marketplaces": [CA], "amounts": "exclusive", "tax_type": "TAX001"})
    return corrected_in_the_settings(stack, taxed_in_canada("0.48"), corrected)


@way(_C.TAX_MODE_CONFLICT, **rules({"marketplaces": [GERMANY], "amounts": "none", "tax_type": "TAX003"}))
def rule_without_tax_that_names_a_rate(stack: OperatedStack) -> Steps:
    corrected = rules({"marketplaces": [GERMANY], "amounts": "inclusive", "tax_type": "TAX003"})
    return corrected_in_the_settings(stack, sale(**IN_GERMANY), corrected)


@way(
    _C.TAX_OWED_BY_MARKETPLACE,
    [(ORDER, "8.40", "PAID")],
    **rules({"marketplaces": [GERMANY], "amounts": "inclusive", "tax_type": "TAX003"}),
)
def tax_of_the_marketplace_that_the_rule_would_book(stack: OperatedStack) -> Steps:
    collected = {"marketplaces": [GERMANY], "responsible": "marketplace", "amounts": "none", "tax_type": "NONE"}
    taxed = breakdown("TAX", "1.60", "EUR", ITEM="1.60")
    sold = item("10.00", breakdown("ITEM", "10.00", "EUR"), taxed, currency="EUR", facilitator=True)
    return corrected_in_the_settings(stack, sale("10.00", sold, **IN_GERMANY), rules(collected))


@way(_C.TAX_LIABILITY_UNCLEAR)
def word_for_who_owes_the_tax_that_is_not_known(stack: OperatedStack) -> Steps:
    sold = item("10.00", breakdown("ITEM", "10.00"), breakdown("TAX", "1.67", ITEM="1.67"))
    sold["tax"] = {"taxCollections": [{"model": "XX_VOEC", "responsibleParty": "Somebody"}]}
    stack.notify_orders(sale("10.00", sold))
    stack.pass_time(4 * DAY, every=6 * HOUR)
    yield
    stack.correct_settings({"tax": {"liabilities": {"XX_VOEC": "seller", "Somebody": "seller"}}})
    replay(stack)
    stack.charge(ORDER, "8.33", OurPriceTax="1.67")


@way(_C.TAX_DIFFERS, **rules({"marketplaces": [CA], "amounts": "exclusive", "tax_type": "TAX001"}))
def rate_that_is_not_what_amazon_charged(stack: OperatedStack) -> Steps:
    corrected = rules({"marketplaces": [CA], "amounts": "exclusive", "tax_type": "TAX002"})
    return corrected_in_the_settings(stack, taxed_in_canada("1.15"), corrected)


@way(_C.TAX_VARIANCE)
def tax_that_the_rate_does_not_explain(stack: OperatedStack) -> Steps:
    sold = item("10.00", breakdown("ITEM", "10.00"), breakdown("TAX", "0.48", ITEM="0.48"))
    stack.notify_orders(sale("10.00", sold))
    yield
    correct(stack, "--tax-type", "RROUTPUT")


@way(_C.TAX_VARIANCE)
def tax_that_is_booked_as_it_is(stack: OperatedStack) -> Steps:
    sold = item("10.00", breakdown("ITEM", "10.00"), breakdown("TAX", "0.48", ITEM="0.48"))
    stack.notify_orders(sale("10.00", sold))
    yield
    correct(stack, "--as-it-is")


# --- the organisation in Xero -----------------------------------------------------------------------------------------


def corrected_in_xero(stack: OperatedStack, order: dict[str, Any], **organisation: Any) -> Steps:
    stack.notify_orders(order)
    yield
    stack.set_organisation(**organisation)
    replay(stack)


@way(_C.TAX_RATE_UNUSABLE, **rules({"marketplaces": [GERMANY], "amounts": "inclusive", "tax_type": "TAX006"}))
def archived_tax_rate(stack: OperatedStack) -> Steps:
    return corrected_in_xero(stack, sale(**IN_GERMANY), TaxRates=[{"TaxType": "TAX006", "Status": "ACTIVE"}])


@way(_C.TAX_TYPE_UNUSABLE, accounts={"gift_wrap": "412"})
def tax_type_that_the_account_does_not_take(stack: OperatedStack) -> Steps:
    return corrected_in_the_settings(stack, wrapped(), {"accounts": {"gift_wrap": "206"}})


@way(_C.ACCOUNT_UNKNOWN, accounts={"gift_wrap": "299"})
def account_that_the_organisation_does_not_have(stack: OperatedStack) -> Steps:
    added = {
        "Code": "299",
        "Name": "Gift wrap",
        "Status": "ACTIVE",
        "Type": "REVENUE",
        "Class": "REVENUE",
        "TaxType": "NONE",
    }
    return corrected_in_xero(stack, wrapped(), Accounts=[added])


@way(_C.ACCOUNT_ARCHIVED)
def archived_account(stack: OperatedStack) -> Steps:
    stack.set_organisation(Accounts=[{"Code": "206", "Status": "ARCHIVED"}])
    return corrected_in_xero(stack, wrapped(), Accounts=[{"Code": "206", "Status": "ACTIVE"}])


@way(_C.TRACKING_UNKNOWN, accounts={"rules": [{"charges": ["gift_wrap"], "tracking": {"Gifts": "Wrapped"}}]})
def tracking_category_that_the_organisation_does_not_have(stack: OperatedStack) -> Steps:
    added = {"Name": "Gifts", "Status": "ACTIVE", "Options": [{"Name": "Wrapped", "Status": "ACTIVE"}]}
    return corrected_in_xero(stack, wrapped(), TrackingCategories=[added])


@way(_C.BRANDING_THEME_UNKNOWN)
def branding_theme_that_the_organisation_does_not_have(stack: OperatedStack) -> Steps:
    stack.correct_settings({"invoices": {"branding_theme": "Gifts"}})
    added = {"BrandingThemeID": "5b6c9b3a-0000-4000-8000-000000000001", "Name": "Gifts", "Type": "INVOICE"}
    return corrected_in_xero(stack, sale(), BrandingThemes=[added])


@way(_C.ITEM_UNUSABLE, accounts={"rules": [{"charges": ["gift_wrap"], "item_code": "WRAP"}]})
def item_that_the_organisation_does_not_have(stack: OperatedStack) -> Steps:
    return corrected_in_the_settings(stack, wrapped(), {"accounts": {"rules": []}})


@way(_C.CLEARING_UNUSABLE, accounts={"clearing": {"GBP": "CLR-GBP", "EUR": "200"}})
def account_that_takes_no_payments(stack: OperatedStack) -> Steps:
    corrected = {"accounts": {"clearing": {"GBP": "CLR-GBP", "EUR": "CLR-EUR"}}}
    return corrected_in_the_settings(stack, sale(**IN_GERMANY), corrected)


@way(_C.CURRENCY_NOT_SUBSCRIBED, [(ORDER, "10.00", "AUTHORISED")])
def currency_that_the_organisation_does_not_use(stack: OperatedStack) -> Steps:
    return corrected_in_xero(stack, sale(currency="NZD"), Currencies=[{"Code": "NZD"}])


@way(_C.PERIOD_LOCKED)
def period_that_is_locked(stack: OperatedStack) -> Steps:
    stack.set_organisation(Organisation={"PeriodLockDate": "2026-11-23"})
    return corrected_in_xero(stack, sale(), Organisation={"PeriodLockDate": None})
