"""The refunds that a world draws are what the sandbox Amazon lists, and together what the buyers got back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sandbox.testing.amazon import NOW, AmazonClient
from simulation.history import OrderHistory, histories
from simulation.refunds import KINDS, DrawnRefund, Flaw, refunds_of
from simulation.transactions import AmazonTransactions

BEGAN, LENGTH = NOW - timedelta(days=2), 3600.0


def drawn(seed: int) -> list[tuple[OrderHistory, list[DrawnRefund]]]:
    rng = random.Random(seed)  # noqa: S311  # a repeatable draw, not a secret
    made = histories(rng, BEGAN, 20, LENGTH, False)
    return [(each, refunds_of(rng, BEGAN, each, LENGTH)) for each in made if each.region.tax != "withheld"]


def leaves(breakdowns: list[dict[str, Any]] | None) -> Iterator[tuple[str, Decimal]]:
    for each in breakdowns or ():
        if each["breakdowns"]:
            yield from leaves(each["breakdowns"])
        else:
            yield each["breakdownType"], each["breakdownAmount"]["currencyAmount"]


def paid_back(transaction: dict[str, Any]) -> Decimal:
    fees = ("Commission", "RefundCommission")
    return -sum((amount for leaf, amount in leaves(transaction["breakdowns"]) if leaf not in fees), Decimal(0))


def is_copy(transaction: dict[str, Any]) -> bool:
    return any(each["relatedIdentifierName"] == "DEFERRED_TRANSACTION_ID" for each in transaction["relatedIdentifiers"])


def test_listed_refunds_of_an_order_without_copies_are_what_the_buyer_got_back() -> None:
    for seed in range(30):
        amazon = AmazonClient(transactions_per_page=500)
        refunds = [refund for _, of_order in drawn(seed) for refund in of_order]
        for _, version in sorted((v for refund in refunds for v in refund.versions), key=lambda version: version[0]):
            amazon.sandbox.put_transaction(version)

        after = (BEGAN - timedelta(days=1)).isoformat()
        listed = amazon.transactions(postedAfter=after).body["payload"]["transactions"]

        assert len({each["transactionId"] for each in listed}) == len(listed)
        originals = [each for each in listed if not is_copy(each)]
        assert len(originals) == len(refunds)
        assert sum(map(paid_back, originals)) == sum(refund.paid_back for refund in refunds)
        for each in listed:
            assert sum(amount for _, amount in leaves(each["breakdowns"])) == each["totalAmount"]["currencyAmount"]


def test_refunds_are_of_every_kind_and_at_any_time() -> None:
    all_drawn = [(history, refund) for seed in range(30) for history, of_order in drawn(seed) for refund in of_order]

    assert {refund.kind for _, refund in all_drawn} == set(KINDS)
    assert all(refund.paid_back > 0 for _, refund in all_drawn)
    early = [refund.versions[0][0] < history.versions[0].at for history, refund in all_drawn]
    assert 0 < sum(early) < len(early)
    assert {len(refund.versions) for _, refund in all_drawn} == {1, 3}
    never_sold = [history for history, _ in all_drawn if all(each.expected.status is None for each in history.versions)]
    assert never_sold


def test_each_flaw_is_drawn_and_listed() -> None:
    worlds = [drawn_transactions(seed) for seed in range(600)]
    flawed = [refund for world in worlds for refund in world.refunds if refund.flaw is not None]
    amazon = AmazonClient()
    for refund in flawed:
        for _, version in refund.versions:
            amazon.sandbox.put_transaction(version)

    assert {refund.flaw for refund in flawed} == set(Flaw)
    assert any(world.charges for world in worlds)
    assert any(world.refused for world in worlds)
    assert 0 < sum(world.is_used for world in worlds) < len(worlds)


def drawn_transactions(seed: int) -> AmazonTransactions:
    rng = random.Random(seed)  # noqa: S311  # a repeatable draw, not a secret
    return AmazonTransactions(rng, BEGAN, histories(rng, BEGAN, 5, LENGTH, False), LENGTH, are_all_read=True)
