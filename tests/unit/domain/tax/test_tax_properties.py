"""Whatever Amazon sells and however it rounds: net, tax of each rate and total in the books are Amazon's, to the cent.

What Amazon states and what the books should hold is calculated here, independently of the code under test.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from amazon_to_xero.domain.amazon.sku_categories import SkuCategories
from amazon_to_xero.domain.books.line import LineAmountTypes
from amazon_to_xero.domain.books.organisation import TaxRate
from amazon_to_xero.domain.tax.liability_words import Party
from amazon_to_xero.domain.tax.rules import TaxPolicy, TaxRule
from fakes.books import ORGANISATION, POLICY
from fakes.order_life import desired_documents
from fakes.orders import breakdown, item, order

# Country of the destination -> marketplace, currency, decimals, rates by category of SKU, whether prices include tax.
COUNTRIES: dict[str, tuple[str, str, int, tuple[str, ...], bool]] = {
    "GB": ("A1F83G8C2ARO7P", "GBP", 2, ("20", "5", "0"), True),
    "DE": ("A1PA6795UKMFR9", "EUR", 2, ("19", "7"), True),
    "FR": ("A13V1IB3VIYZZH", "EUR", 2, ("20", "5.5", "2.1"), True),
    "US": ("ATVPDKIKX0DER", "USD", 2, ("8.875", "0"), False),
    "CA": ("A2EUQ1WTGCTBG2", "CAD", 2, ("5", "13", "14.975"), False),
    "AU": ("A39IBJ37TRP1C6", "AUD", 2, ("10", "0"), True),
    "NZ": ("A39IBJ37TRP1C6", "AUD", 2, ("15",), True),
    "JP": ("A1VC38T7YXB528", "JPY", 0, ("10", "8"), True),
}
RATES = sorted({rate for *_, rates, _ in COUNTRIES.values() for rate in rates})
BOOKS = replace(
    ORGANISATION,
    currencies=frozenset({"GBP", "EUR", "USD", "CAD", "AUD", "JPY"}),
    tax_rates={
        "DEEMED": TaxRate("DEEMED", "Owed by the marketplace", Decimal(0), True, True),
        **{f"RATE{rate}": TaxRate(f"RATE{rate}", rate, Decimal(rate), True, True) for rate in RATES},
    },
)
BY_AMAZON = {"taxCollections": [{"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon"}]}
ROUNDING = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)


@dataclass
class Sold:
    """An order as Amazon states it, and what the books should hold of it: by tax type the net amounts and the tax."""

    country: str
    raw: dict[str, Any]
    total: Decimal = Decimal(0)
    net: Counter[str] = field(default_factory=Counter)
    tax: Counter[str] = field(default_factory=Counter)


@st.composite
def sold_orders(draw: st.DrawFn) -> Sold:
    country = draw(st.sampled_from(sorted(COUNTRIES)))
    marketplace, currency, decimals, rates, inclusive = COUNTRIES[country]
    unit = Decimal(1).scaleb(-decimals)
    rounding, by_unit = draw(st.sampled_from(ROUNDING)), draw(st.booleans())
    sold, items, grand_total = Sold(country, {}), [], Decimal(0)
    for number in range(draw(st.integers(1, 3))):
        rate, quantity = draw(st.sampled_from(rates)), draw(st.integers(1, 40))
        owed_by_amazon, detailed = draw(st.booleans()), draw(st.booleans())
        base = Decimal(100) + (Decimal(rate) if inclusive else 0)

        def tax_of(price: Decimal, units: int, base: Decimal = base, rate: str = rate) -> Decimal:
            times = units if by_unit else 1
            return times * (price / times * Decimal(rate) / base).quantize(unit, rounding=rounding)

        prices = {"ITEM": draw(st.integers(1, 9000)) * unit * quantity}
        if draw(st.booleans()):
            prices["SHIPPING"] = draw(st.integers(1, 2000)) * unit
        taxes = {name: tax_of(price, quantity if name == "ITEM" else 1) for name, price in prices.items()}
        parts = [breakdown(name, str(price), currency) for name, price in prices.items()]
        if draw(st.booleans()):
            off = draw(st.integers(1, int(prices["ITEM"] / unit / quantity))) * unit * quantity
            prices["DISCOUNT"], taxes["DISCOUNT"] = -off, -tax_of(off, quantity)
            parts.append(breakdown("DISCOUNT", str(-off), currency, ITEM=str(-off)))
        tax, price = sum(taxes.values(), Decimal(0)), sum(prices.values(), Decimal(0))
        details = {name: str(value) for name, value in taxes.items()} if detailed else {}
        parts.append(breakdown("TAX", str(tax), currency, **details))
        stated = price if inclusive else price + tax
        made = item(
            str(stated), *parts, quantity=quantity, currency=currency, item_id=str(number), sku=f"R{rate}-{number}"
        )
        items.append(made | ({"tax": BY_AMAZON} if owed_by_amazon else {}))
        grand_total += stated
        net = price - tax if inclusive else price
        tax_type = "DEEMED" if owed_by_amazon else f"RATE{rate}"
        sold.net[tax_type] += net  # type: ignore[assignment]  # Counter of Decimal
        sold.tax[tax_type] += Decimal(0) if owed_by_amazon else tax  # type: ignore[assignment]
        sold.total += net if owed_by_amazon else net + tax
    sold.raw = order(*items, grand_total=str(grand_total), marketplace=marketplace, currency=currency, ship_to=country)
    return sold


def half_up(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


@settings(max_examples=500, deadline=None)
@given(sold_orders())
def test_books_hold_amazons_net_tax_and_total_whatever_way_amazon_rounds(sold: Sold) -> None:
    inclusive = COUNTRIES[sold.country][4]
    amounts = LineAmountTypes.INCLUSIVE if inclusive else LineAmountTypes.EXCLUSIVE
    rules = [TaxRule(f"RATE{rate}", amounts, category=f"of {rate} %") for rate in RATES]
    categories = SkuCategories({f"of {rate} %": (f"R{rate}-*",) for rate in RATES})
    tax = TaxPolicy((TaxRule("DEEMED", amounts, responsible=Party.MARKETPLACE), *rules), categories=categories)
    policy = replace(POLICY, marketplaces=frozenset(place for place, *_ in COUNTRIES.values()), tax=tax)

    outcome = desired_documents(sold.raw, policy, BOOKS)

    if not isinstance(outcome, list):
        assert Decimal(sold.raw["proceeds"]["grandTotal"]["amount"]) == 0
        return
    made = outcome[1]
    net, taxes = Counter[str](), Counter[str]()
    for line in made.body["LineItems"]:
        amount = half_up(line["Quantity"] * line["UnitAmount"])
        rate = BOOKS.tax_rates[line["TaxType"]].rate if line["TaxType"] in BOOKS.tax_rates else Decimal(0)
        computed = half_up(amount * rate / (100 + (rate if inclusive else 0)))
        stated = line.get("TaxAmount", computed)
        assert abs(stated) <= abs(line["UnitAmount"]) or "TaxAmount" not in line
        net[line["TaxType"]] += amount - stated if inclusive else amount  # type: ignore[assignment]
        taxes[line["TaxType"]] += stated
    event("stated" if any("TaxAmount" in line for line in made.body["LineItems"]) else "computed")

    assert made.total == sold.total
    assert {key: value for key, value in net.items() if value} == {
        key: value for key, value in sold.net.items() if value
    }
    assert {key: value for key, value in taxes.items() if value} == {
        key: value for key, value in sold.tax.items() if value
    }
