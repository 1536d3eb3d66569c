"""All ways of failing that are walked from the failure to the right books."""

from __future__ import annotations

from unit.ways_of_failing import way, ways_of_closing, ways_of_orders, ways_of_refunds, ways_of_settings, ways_of_xero

MODULES = (ways_of_closing, ways_of_orders, ways_of_refunds, ways_of_settings, ways_of_xero)  # each registers its own
WAYS = tuple(way.WAYS)
