"""Which marketplaces sell the same units, by what each of them states. It finds, and a person changes the settings.

With Pan-European FBA each marketplace of a seller states all units, so that identical quantities are those of one pool.
Of two marketplaces the SKUs that both state are compared, in every kind of unit, without those that both state no unit
of: these are alike everywhere. Five such SKUs are needed. Two marketplaces are alike if at least 95 % of the SKUs are
identical (a few change between the two readings), and different if fewer than half are; in between nothing is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.domain.amazon.stock import StockQuantities, StockStatement
from amazon_to_xero.domain.failures import FailureCode

MAX_SAMPLED = 500  # SKUs of a marketplace that are compared

_MIN_COMMON = 5  # SKUs
_ALIKE_PERCENT, _DIFFERENT_BELOW_PERCENT = 95, 50

#: SKU -> units of every kind as a text; see stated_units.
type StockSample = Mapping[str, str]


@dataclass(frozen=True)
class PoolFinding:
    """Marketplaces whose pool the settings should state otherwise.

    code: STOCK_POOL_PROPOSED or STOCK_POOL_DOUBTED.
    marketplaces: Amazon's ids.
    remedy: what was compared, and what to write into the settings.
    """

    code: FailureCode
    marketplaces: tuple[str, ...]
    remedy: str


@dataclass(frozen=True)
class _Likeness:
    """How many SKUs two marketplaces have in common, and of how many they state identical quantities."""

    identical: int
    common: int

    @property
    def is_alike(self) -> bool:
        return self.common >= _MIN_COMMON and self.identical * 100 >= self.common * _ALIKE_PERCENT

    @property
    def is_different(self) -> bool:
        return self.common >= _MIN_COMMON and self.identical * 100 < self.common * _DIFFERENT_BELOW_PERCENT


def stock_sample(statements: Iterable[StockStatement]) -> StockSample:
    """Return what a marketplace states of at most MAX_SAMPLED SKUs: of the same ones in each marketplace.

    A SKU of which Amazon does not state the fulfillable units is left out: they are unknown.
    """
    stated = {each.sku: stated_units(each.quantities) for each in statements if each.quantities.fulfillable is not None}
    # The order by digest is the same everywhere, and has nothing to do with how a seller names SKUs.
    sampled = sorted(stated, key=lambda sku: sha256(sku.encode()).digest())[:MAX_SAMPLED]
    return {sku: stated[sku] for sku in sampled}


def stated_units(quantities: StockQuantities) -> str:
    """Return the units of every kind: fulfillable, inbound, reserved, unfulfillable, researching; `?` is not stated."""
    kinds = (quantities.fulfillable, quantities.inbound, quantities.reserved)
    units = (*kinds, quantities.unfulfillable, quantities.researching)
    return "/".join("?" if each is None else str(each) for each in units)


def pool_findings(samples: Mapping[str, StockSample], pools: Mapping[str, str]) -> list[PoolFinding]:
    """Return what the settings should state otherwise: pools to add first, then those to check.

    samples: marketplace -> what it states. pools: marketplace -> name of its pool, as the settings state it.
    """
    compared = {
        frozenset(pair): _likeness(*(samples[each] for each in pair)) for pair in combinations(sorted(samples), 2)
    }
    groups = _groups(sorted(samples), compared)
    return [*_proposed(groups, compared, pools, samples), *_doubted(compared, pools)]


def _proposed(
    groups: Iterable[list[str]],
    compared: Mapping[frozenset[str], _Likeness],
    pools: Mapping[str, str],
    samples: Collection[str],
) -> Iterator[PoolFinding]:
    """Yield each group that is not one pool yet, with the line of the settings that makes it one."""
    for group in groups:
        named = sorted({pools[each] for each in group if each in pools})
        if len(group) < 2 or (len(named) == 1 and all(each in pools for each in group)):
            continue
        name = named[0] if named else _free_name(group, pools)
        # Those of another pool come along where they were not read: each of a pool states the same units.
        kept = [each for each, pool in pools.items() if pool == name or (pool in named and each not in samples)]
        members = [*kept, *(each for each in group if each not in kept)]
        listed = ", ".join(f'"{each}"' for each in members)
        others = f", and take them out of {', '.join(named[1:])}" if named[1:] else ""
        remedy = (
            f"{_names(group)} state identical quantities of stock ({_counts(group, compared)}). "
            f'Write "{name}": [{listed}] under inventory.pools of the settings{others} if they sell the same units; '
            "until then each unit is counted once for each of them."
        )
        yield PoolFinding(FailureCode.STOCK_POOL_PROPOSED, tuple(group), remedy)


def _doubted(compared: Mapping[frozenset[str], _Likeness], pools: Mapping[str, str]) -> Iterator[PoolFinding]:
    for pair, likeness in compared.items():
        first, second = sorted(pair)
        if likeness.is_different and first in pools and pools[first] == pools.get(second):
            remedy = (
                f"{_names((first, second))} are in the pool {pools[first]} and state different quantities of stock "
                f"({_counts((first, second), compared)}). Take one of them out of the pool under inventory.pools of "
                "the settings if they do not sell the same units; until then one hides the units of the other."
            )
            yield PoolFinding(FailureCode.STOCK_POOL_DOUBTED, (first, second), remedy)


def _groups(marketplaces: Iterable[str], compared: Mapping[frozenset[str], _Likeness]) -> list[list[str]]:
    """Return the marketplaces in groups: each is like all others of its group that enough SKUs are in common with.

    A marketplace that is like no other is a group of its own.
    """
    groups: list[list[str]] = []
    for each in marketplaces:
        for group in groups:
            likenesses = [compared[frozenset((each, other))] for other in group]
            known = [likeness.is_alike for likeness in likenesses if likeness.common >= _MIN_COMMON]
            if known and all(known):
                group.append(each)
                break
        else:
            groups.append([each])
    return groups


def _likeness(first: StockSample, second: StockSample) -> _Likeness:
    pairs = [(units, second[sku]) for sku, units in first.items() if sku in second]
    with_units = [pair for pair in pairs if any(_has_units(units) for units in pair)]
    return _Likeness(sum(one == other for one, other in with_units), len(with_units))


def _has_units(units: str) -> bool:
    return any(each not in ("0", "?") for each in units.split("/"))


def _free_name(group: Iterable[str], pools: Mapping[str, str]) -> str:
    """Return a name for a pool that no pool has: that of the region, else with a number."""
    regions = {MARKETPLACES[each].region for each in group if each in MARKETPLACES}
    first = "-".join(sorted(regions)) or "pool"
    name, taken, number = first, set(pools.values()), 2
    while name in taken:
        name, number = f"{first}-{number}", number + 1
    return name


def _names(marketplaces: Iterable[str]) -> str:
    return ", ".join(MARKETPLACES[each].name if each in MARKETPLACES else each for each in marketplaces)


def _counts(group: Iterable[str], compared: Mapping[frozenset[str], _Likeness]) -> str:
    """Return how many SKUs were identical, of the pair with the fewest in common of those that were compared."""
    pairs = (compared[frozenset(pair)] for pair in combinations(group, 2))
    fewest = min((each for each in pairs if each.common >= _MIN_COMMON), key=lambda each: each.common)
    return f"{fewest.identical} of {fewest.common} common SKUs"
