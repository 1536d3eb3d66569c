"""Which marketplaces seem to sell the same units, by what each of them states."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.stock.pools import MAX_SAMPLED, StockSample, pool_findings, stated_units, stock_sample
from fakes.stock import DE, FR, UK, US, stated

IT = "APJ6JRA9NG5V4"


def units(*numbers: int) -> StockSample:
    """Return what a marketplace states of the SKUs S0, S1 and so on."""
    return {f"S{number}": f"{each}/0/0/0/0" for number, each in enumerate(numbers)}


TWENTY = tuple(range(1, 21))
PROPOSED, DOUBTED = FailureCode.STOCK_POOL_PROPOSED, FailureCode.STOCK_POOL_DOUBTED
EU = {DE: "eu", FR: "eu"}


@pytest.mark.parametrize(
    ("samples", "pools", "found"),
    [
        pytest.param({DE: units(*TWENTY), FR: units(*TWENTY)}, {}, [(PROPOSED, (FR, DE))], id="identical"),
        pytest.param({DE: units(*TWENTY), FR: units(*TWENTY)}, EU, [], id="identical and in one pool already"),
        pytest.param({DE: units(*TWENTY), FR: units(*TWENTY[:-1], 7)}, {}, [(PROPOSED, (FR, DE))], id="19 of 20"),
        pytest.param({DE: units(*TWENTY), FR: units(*TWENTY[:-2], 7, 7)}, {}, [], id="18 of 20"),
        pytest.param({DE: units(1, 2, 3, 4, 5), FR: units(1, 2, 3, 4, 5)}, {}, [(PROPOSED, (FR, DE))], id="five SKUs"),
        pytest.param({DE: units(1, 2, 3, 4), FR: units(1, 2, 3, 4)}, {}, [], id="four SKUs"),
        pytest.param({DE: units(1, 2, 0, 0, 0, 0), FR: units(1, 2, 0, 0, 0, 0)}, {}, [], id="most without units"),
        pytest.param({DE: units(1, 2, 3, 4, 5), FR: units(0, 0, 0, 0, 0)}, {}, [], id="units in one of them only"),
        pytest.param({DE: units(1, 2, 3, 4, 5), FR: {"X": "1/0/0/0/0"}}, {}, [], id="no common SKU"),
        pytest.param({DE: units(*TWENTY)}, {}, [], id="one marketplace"),
        pytest.param({}, EU, [], id="nothing read"),
        pytest.param({DE: units(*TWENTY), FR: units(*TWENTY[::-1])}, EU, [(DOUBTED, (FR, DE))], id="pool that differs"),
        pytest.param({DE: units(1, 2, 3, 4, 5, 6), FR: units(1, 2, 3, 7, 7, 7)}, EU, [], id="pool, half the same"),
        pytest.param({DE: units(*TWENTY), FR: units(*TWENTY[::-1])}, {}, [], id="different and in no pool"),
        pytest.param({DE: units(1, 2), FR: units(2, 1)}, EU, [], id="pool that differs in too few SKUs to say"),
        pytest.param(
            {DE: units(*TWENTY), FR: units(*TWENTY), UK: units(*TWENTY[::-1])},
            {},
            [(PROPOSED, (FR, DE))],
            id="and a marketplace with other stock",
        ),
    ],
)
def test_pools_are_found_by_identical_quantities(
    samples: Mapping[str, StockSample], pools: Mapping[str, str], found: list[tuple[FailureCode, tuple[str, ...]]]
) -> None:
    assert [(each.code, each.marketplaces) for each in pool_findings(samples, pools)] == found


def test_finding_states_the_line_of_the_settings() -> None:
    (finding,) = pool_findings({DE: units(*TWENTY), FR: units(*TWENTY)}, {})

    assert "Amazon.fr, Amazon.de state identical quantities of stock (20 of 20 common SKUs)" in finding.remedy
    assert (
        f'Write "eu": ["{FR}", "{DE}"] under inventory.pools of the settings if they sell the same units;'
        in finding.remedy
    )


def test_marketplace_like_those_of_a_pool_is_added_to_it() -> None:
    (finding,) = pool_findings(dict.fromkeys((DE, FR, IT), units(*TWENTY)), EU)

    assert finding.marketplaces == (FR, DE, IT)
    assert f'Write "eu": ["{DE}", "{FR}", "{IT}"]' in finding.remedy


def test_two_pools_that_are_alike_become_one() -> None:
    (finding,) = pool_findings(dict.fromkeys((DE, FR, IT), units(*TWENTY)), {DE: "a", FR: "a", IT: "b"})

    assert f'Write "a": ["{DE}", "{FR}", "{IT}"] under inventory.pools' in finding.remedy
    assert "inventory.pools of the settings, and take them out of b if" in finding.remedy


def test_marketplaces_of_a_pool_that_were_not_read_move_with_the_one_that_was() -> None:
    pools = {DE: "a", FR: "a", IT: "b", US: "b"}

    (finding,) = pool_findings(dict.fromkeys((DE, IT), units(*TWENTY)), pools)

    assert f'Write "a": ["{DE}", "{FR}", "{US}", "{IT}"] under inventory.pools' in finding.remedy


def test_marketplace_that_was_read_and_states_other_units_stays_in_its_pool() -> None:
    pools = {DE: "a", FR: "a", IT: "b", US: "b"}
    samples = {**dict.fromkeys((DE, FR, IT), units(*TWENTY)), US: units(*TWENTY[::-1])}

    proposed = pool_findings(samples, pools)[0]

    assert f'Write "a": ["{DE}", "{FR}", "{IT}"] under inventory.pools' in proposed.remedy


def test_proposed_name_is_none_that_another_pool_has() -> None:
    (finding,) = pool_findings({DE: units(*TWENTY), FR: units(*TWENTY)}, {UK: "eu", US: "eu-2"})

    assert 'Write "eu-3": [' in finding.remedy


def test_doubt_says_what_to_take_out_of_the_pool() -> None:
    (finding,) = pool_findings({DE: units(*TWENTY), FR: units(*TWENTY[::-1])}, EU)

    assert "Amazon.fr, Amazon.de are in the pool eu and state different quantities of stock (0 of 20" in finding.remedy
    assert "Take one of them out of the pool" in finding.remedy


def test_every_kind_of_unit_is_compared_and_what_is_not_stated_is_not_zero() -> None:
    first = stated(5, inbound_shipped=3, unfulfillable=1)

    assert stated_units(first.quantities) == "5/3/?/1/?"
    assert stock_sample([first, stated(None, sku="UNKNOWN")]) == {"MUG-RED": "5/3/?/1/?"}


def test_the_same_skus_of_a_large_stock_are_compared_in_each_marketplace() -> None:
    skus = [f"SKU-{number}" for number in range(2 * MAX_SAMPLED)]
    german = stock_sample(stated(1, sku=sku) for sku in skus)
    french = stock_sample(stated(2, sku=sku) for sku in reversed(skus))

    assert len(german) == MAX_SAMPLED
    assert german.keys() == french.keys()
