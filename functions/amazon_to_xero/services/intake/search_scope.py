"""Which marketplaces searchOrders is called for: all, until Amazon refuses the search for some of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.amazon import AmazonError, AmazonForbidden, SellerApi
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import Conflict, Cursor, StateStore
from amazon_to_xero.services.intake.amazon_faults import AmazonFaults
from amazon_to_xero.services.intake.quota import GET_ORDER, SEARCH_ORDERS, AmazonQuota
from amazon_to_xero.services.intake.sweep_cursor import CURSOR as SWEEP
from amazon_to_xero.services.intake.sweep_cursor import restarted
from amazon_to_xero.services.state_updates import update_cursor

CURSOR = "search-scope"
UNLISTED = "*"  # a marketplace of the seller that is not in the settings
_LISTS = ("works", "refused", "untested", "left_out")
_REFUSAL = AmazonForbidden(SEARCH_ORDERS.operation, 403, "Unauthorized")
_TEST_PERIOD = timedelta(minutes=10)  # how far back a search reaches whose answer is only that it is not refused


@dataclass(frozen=True)
class _Scope:
    """What is known of the marketplaces; nothing while Amazon refuses none.

    works, refused, untested: ids of marketplaces.
    left_out: marketplaces that are not searched, since each was last tested.
    since: the sweep's watermark (ISO) up to which they were searched; empty where they never were.
    """

    works: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    since: str = ""

    @classmethod
    def of(cls, data: Mapping[str, str]) -> _Scope:
        works, refused, untested, left_out = (tuple(filter(None, data.get(name, "").split(","))) for name in _LISTS)
        return cls(works, refused, untested, left_out, data.get("since", ""))

    def as_data(self) -> dict[str, str]:
        if self == _Scope():
            return {}
        return {name: ",".join(getattr(self, name)) for name in _LISTS} | {"since": self.since}


class SearchScope:
    """The scope of one connection's searches.

    Amazon refuses a search for all marketplaces where it refuses one of them. Then each marketplace of the settings is
    tested with a call of its own, and from then on those that work are searched together. A refused one is tested again
    every hour; its orders are read meanwhile where Amazon notifies of them, and searched from `since` on afterwards.
    """

    def __init__(
        self,
        amazon: SellerApi,
        store: StateStore,
        marketplaces: Iterable[str],
        quota: AmazonQuota,
        faults: AmazonFaults,
        clock: Clock,
    ) -> None:
        self._amazon = amazon
        self._store = store
        self._marketplaces = tuple(sorted(marketplaces))
        self._quota = quota
        self._faults = faults
        self._clock = clock

    def marketplaces(self) -> tuple[str, ...]:
        """Return the marketplaces to search; none for all of the seller's."""
        scope = self._stored()
        return () if scope.untested else scope.works

    def narrow(self, problem: AmazonForbidden) -> str:
        """Find the marketplaces for which Amazon refuses the search, after it refused one; return what stops reading.

        A sweep under way begins again at its watermark: its page token is valid for the same marketplaces only.
        """
        if self._faults.is_refused(GET_ORDER):
            return self._faults.report(problem).stopped
        scope = self._stored()
        if not scope.untested:
            watermark = self._store.cursor(SWEEP).data.get("watermark", "")
            since = min(scope.since, watermark) if scope.left_out else watermark
            # Of those that worked so far, one is refused by now.
            untested = scope.works or self._marketplaces
            scope = replace(scope, works=(), untested=untested, since=since)
        stopped = self._test(scope)
        if not stopped:
            self._restart_sweep()
        return stopped

    def update(self) -> str:
        """Test what is not tested yet, and once an hour the refused marketplaces; return what stops reading."""
        scope = self._stored()
        retested = tuple(each for each in scope.left_out if each in scope.refused and not self._is_refused_lately(each))
        if not scope.untested and not retested:
            return ""
        refused = tuple(each for each in scope.refused if each not in retested)
        return self._test(replace(scope, refused=refused, untested=(*scope.untested, *retested)))

    def _test(self, scope: _Scope) -> str:
        """Test each untested marketplace with a call; what is interrupted is continued later."""
        refusal: AmazonForbidden | None = None
        while scope.untested:
            marketplace, *rest = scope.untested
            if not self._quota.take(SEARCH_ORDERS):
                self._save(scope)
                return WaitReason.AMAZON_QUOTA
            try:
                self._search(marketplace)
                scope = replace(scope, works=(*scope.works, marketplace), untested=tuple(rest))
            except AmazonForbidden as problem:
                refusal = problem
                scope = replace(scope, refused=(*scope.refused, marketplace), untested=tuple(rest))
            except AmazonError as problem:
                self._save(scope)
                return self._faults.report(problem).stopped
        if refusal is not None and not scope.works:
            if scope.left_out:
                self._restart_sweep(scope.since)
            self._save(_Scope())
            return self._faults.report(refusal).stopped
        if not scope.refused and UNLISTED not in scope.works:
            # Each of the settings works: it is another marketplace of the seller, or the refusal has passed.
            return self._test(replace(scope, untested=(UNLISTED,)))
        self._conclude(scope, refusal or _REFUSAL)
        return ""

    def _conclude(self, scope: _Scope, refusal: AmazonForbidden) -> None:
        """Store a scope in which every marketplace has been tested and some work."""
        refused = () if UNLISTED in scope.works else scope.refused
        if any(each in scope.works for each in scope.left_out):
            # What the marketplace missed is swept again with the others, whose orders are unchanged.
            self._restart_sweep(scope.since)
        for marketplace in refused:
            if not self._is_refused_lately(marketplace):
                self._faults.pause_marketplace(refusal, marketplace)
        self._save(replace(scope, refused=refused, left_out=refused) if refused else _Scope())

    def _is_refused_lately(self, marketplace: str) -> bool:
        return self._faults.is_marketplace_refused(marketplace)

    def _search(self, marketplace: str) -> None:
        marketplaces = () if marketplace == UNLISTED else (marketplace,)
        self._amazon.search_orders(updated_after=self._clock.now() - _TEST_PERIOD, marketplaces=marketplaces)

    def _stored(self) -> _Scope:
        return _Scope.of(self._store.cursor(CURSOR).data)

    def _save(self, scope: _Scope) -> None:
        with suppress(Conflict):  # another worker found out the same at the same moment
            update_cursor(self._store, CURSOR, lambda cursor: scope.as_data())

    def _restart_sweep(self, since: str | None = None) -> None:
        """Begin a new sweep at that watermark (see restarted), or at the one that it has."""
        update_cursor(self._store, SWEEP, lambda cursor: restarted(cursor.data, since))


def marketplaces_left_out(cursor: Cursor) -> tuple[str, ...]:
    """Return the ids of the marketplaces that are not searched, as the cursor of the scope holds them."""
    return _Scope.of(cursor.data).left_out
