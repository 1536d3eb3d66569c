"""The charges that a world draws are what the sandbox Amazon lists, of every kind that a charge may differ by."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

from sandbox.testing.amazon import NOW, AmazonClient
from simulation.charges import DrawnCharge, draw_charges
from simulation.history import histories
from simulation.refunds import NOBODYS_ORDER

BEGAN, LENGTH = NOW - timedelta(days=2), 3600.0


def drawn(seed: int) -> list[DrawnCharge]:
    rng = random.Random(seed)  # noqa: S311  # a repeatable draw, not a secret
    orders = histories(rng, BEGAN, 5, LENGTH, per_shipment=bool(seed % 2))
    return draw_charges(rng, BEGAN, orders, "A1SELLER", LENGTH, may_be_unknown=True)


def test_charges_are_listed_once_each_and_a_deferred_one_with_its_copy() -> None:
    for seed in range(20):
        amazon = AmazonClient(transactions_per_page=500)
        charges = drawn(seed)
        for _, version in sorted((v for each in charges for v in each.versions), key=lambda version: version[0]):
            amazon.sandbox.put_transaction(version)

        after = (BEGAN - timedelta(days=1)).isoformat()
        listed = amazon.transactions(postedAfter=after).body["payload"]["transactions"]

        copies = sum(len(each.versions) == 3 for each in charges)
        assert len({each["transactionId"] for each in listed}) == len(listed) == len(charges) + copies


def test_charges_of_a_third_of_the_worlds_differ_from_their_orders() -> None:
    worlds = [drawn(seed) for seed in range(300)]
    charges = [charge for world in worlds for charge in world]

    assert {len(charge.versions) for charge in charges} == {1, 3}
    assert any(charge.withheld for charge in charges)
    assert all(charge.paid > 0 for charge in charges if charge.order_id == NOBODYS_ORDER)
    fee = [charge for charge in charges if "CashOnDelivery" in str(charge.versions[0][1]["breakdowns"])]
    signs = {Decimal(1), Decimal(-1)}
    assert {_fee(charge) for charge in fee} == signs
    assert 0 < sum(any(each.order_id == NOBODYS_ORDER for each in world) for world in worlds) < len(worlds) / 5


def _fee(charge: DrawnCharge) -> Decimal:
    last = charge.versions[0][1]["breakdowns"][-1]
    return Decimal(last["breakdownAmount"]["currencyAmount"])
