"""The net itself: with any one layer of safety taken away the simulation finds damage, with it in place none."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import pytest

from amazon_to_xero.adapters.dynamodb.rows import RowStateStore
from simulation.layers import WITHOUT
from simulation.run import run
from simulation.table import MemoryTable
from simulation.world import Layers

WITHIN = 200
# Where the damage was met last: looked at first, so that the search is short as long as the services stay as they are.
MET_AT = {
    "durable intent": 5,
    "idempotency key": 22,
    "look before create": 0,
    "unique numbers": 7,
    "fence by generation": 5,
    "newest version wins": 24,
    "call budget": 3,
    "smaller batches": 6,
    "blame for silence": 0,
    "halving of refused batches": 6,
    "halving of look-ups": 0,
    "probe of look-ups": 0,
    "end of unanswered look-ups": 0,
    "end of refusals": 0,
    "test of getOrder": 0,
    "end of unanswered reads": 1,
    "look-up of refused contacts": 3,
    "merged contacts": 6,
    "first open day": 0,
    "dates planned again": 0,
    "bound tenant": 0,
    "order of the refunds": 9,
    "kept decisions": 9,
    "room of an open invoice": 9,
    "netting": 26,
    "sale before refund": 5,
    "comparison of charges": 0,
    "comparison of withheld tax": 6,
    "refunded tax that nets": 9,
    "comparison of a changed sale": 7,
    "comparison of a further charge": 6,
    "closed entries": 2,
    "repeated token refresh": 41,
}


def _in_place(layers: Layers) -> Layers:
    """The same weather with every layer where it belongs."""
    whole: Layers = replace(
        layers, store=_as_it_is, table=MemoryTable, xero_drops_keys=False, xero_numbers_unique=True, without={}
    )
    return whole


def _as_it_is(store: RowStateStore) -> RowStateStore:
    return store


@pytest.mark.parametrize("layer", sorted(WITHOUT))
def test_without_it_there_is_damage_and_with_it_there_is_none(layer: str) -> None:
    layers = WITHOUT[layer]
    for seed in dict.fromkeys(chain([MET_AT[layer]], range(WITHIN))):
        if run(str(seed), layers).violations and not run(str(seed), _in_place(layers)).violations:
            return
    pytest.fail(f"{WITHIN} worlds without {layer!r} and no damage that it would have kept away")
