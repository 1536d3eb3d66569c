"""The status of one connection, from its stored rows: what waits, failed, is paused or refused, and who answered when.

Neither Amazon nor Xero is called, so that it can be read every minute, also while a service is paused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from amazon_to_xero.domain.books.document_types import DocumentKind
from amazon_to_xero.domain.call_budget import Limits
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import (
    CHANGED_IN_XERO,
    DOCUMENTS,
    FAILED_DOCUMENTS,
    FAILED_SOURCES,
    UNKNOWN_DOCUMENTS,
    Cursor,
    StateStore,
)
from amazon_to_xero.services.intake.amazon_faults import AMAZON, paused_marketplace, paused_operation
from amazon_to_xero.services.intake.quota import GET_INVENTORY_SUMMARIES, LIST_TRANSACTIONS, SEARCH_ORDERS, USAGE_PLANS
from amazon_to_xero.services.intake.search_scope import CURSOR as SCOPE
from amazon_to_xero.services.intake.search_scope import marketplaces_left_out
from amazon_to_xero.services.intake.sweep_cursor import CURSOR as SWEEP
from amazon_to_xero.services.intake.sweep_cursor import answered_at
from amazon_to_xero.services.intake.transaction_sweep import CURSOR as TRANSACTION_SWEEP
from amazon_to_xero.services.inventory.sweep import CURSOR as STOCK_SWEEP
from amazon_to_xero.services.pauses import cursor_of, pause_of
from amazon_to_xero.services.posting.budget import BUDGET, budget_of

MAX_COUNTED = 1000  # of each group; a count that reaches it is a lower bound
XERO = "xero"
SEARCH = paused_operation(SEARCH_ORDERS.operation)
TRANSACTIONS = paused_operation(LIST_TRANSACTIONS.operation)
STOCK = paused_operation(GET_INVENTORY_SUMMARIES.operation)
OPERATIONS = tuple(paused_operation(plan.operation) for plan in USAGE_PLANS.values())
SETTINGS = "settings"  # what is refused where a connection's settings or secret are not valid
SILENT = timedelta(minutes=30)  # at most 48 calls a day of those that a connection without work does not need
_SERVICES = (XERO, AMAZON, *OPERATIONS, *(f"{XERO}#{kind}" for kind in DocumentKind))


@dataclass(frozen=True)
class ConnectionStatus:
    """The status of a connection at one moment. A fact that is not known is None.

    oldest_due_seconds: how long the earliest due work has been due; 0 where nothing is due.
    pauses: service that is not called at the moment -> reason.
    refusals: what does not work until a person acts -> code: a service (see Pauses), or SETTINGS.
    failed_sources, failed_documents, unknown_documents: reason -> how many; at most MAX_COUNTED together in each.
    changed_in_xero: what people did to documents in Xero, and nobody has decided about -> how many documents.
    xero_day_calls_left: calls to Xero that are left of the day's.
    seconds_since_amazon, seconds_since_transactions: since Amazon last answered a sweep of orders, of transactions.
    seconds_since_xero: since Xero last executed a call.
    """

    oldest_due_seconds: int = 0
    pauses: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)
    failed_sources: Mapping[str, int] = field(default_factory=dict)
    failed_documents: Mapping[str, int] = field(default_factory=dict)
    unknown_documents: Mapping[str, int] = field(default_factory=dict)
    changed_in_xero: Mapping[str, int] = field(default_factory=dict)
    xero_day_calls_left: int | None = None
    seconds_since_amazon: int | None = None
    seconds_since_transactions: int | None = None
    seconds_since_xero: int | None = None


def needs_check(status: ConnectionStatus) -> bool:
    """Return whether Xero should be called even if nothing is due.

    Otherwise nothing finds out that an idle connection was disconnected, or that a refused one was connected again.
    """
    is_silent = status.seconds_since_xero is not None and status.seconds_since_xero > SILENT.total_seconds()
    return XERO not in status.pauses and (XERO in status.refusals or is_silent)


class StatusReader:
    """Reads the status of one connection, in about 22 read units."""

    def __init__(
        self,
        name: str,
        store: StateStore,
        clock: Clock,
        capabilities: Collection[str],
        limits: Limits | None,
        unusable: str = "",
    ) -> None:
        """Connect the reader.

        limits: None where the settings are not known.
        unusable: the code that says why they cannot be used; empty while AWS does not answer.
        """
        self.name = name
        self.store = store
        self._clock = clock
        self._queues = (*capabilities, DOCUMENTS)
        self._limits = limits
        self._unusable = unusable

    def read(self) -> ConnectionStatus:
        now = self._clock.now()
        names = [SWEEP, TRANSACTION_SWEEP, STOCK_SWEEP, BUDGET, SCOPE, *(cursor_of(service) for service in _SERVICES)]
        cursors = self.store.load(Cursor, names)
        amazon_answered_at, transactions_answered_at, stock_answered_at = (
            answered_at(cursors[sweep]) if sweep in cursors else None
            for sweep in (SWEEP, TRANSACTION_SWEEP, STOCK_SWEEP)
        )
        budget = budget_of(cursors[BUDGET]) if BUDGET in cursors else None
        xero_answered_at = budget.answered_at if budget else None
        pauses = [pause for each in cursors.values() if (pause := pause_of(each))]
        # When getOrder or one kind of document was answered is not stored: their refusals last a while longer.
        answered = {
            XERO: xero_answered_at,
            AMAZON: amazon_answered_at,
            SEARCH: amazon_answered_at,
            TRANSACTIONS: transactions_answered_at,
            STOCK: stock_answered_at,
        }
        refusals = {each.service: each.reason for each in pauses if each.is_refusal(answered.get(each.service), now)}
        if self._unusable:
            refusals[SETTINGS] = self._unusable
        return ConnectionStatus(
            oldest_due_seconds=self._oldest_due(now),
            pauses={pause.service: pause.reason for pause in pauses if pause.until > now},
            refusals={**refusals, **_refused_marketplaces(cursors.get(SCOPE))},
            failed_sources=self._by_reason(FAILED_SOURCES),
            failed_documents=self._by_reason(FAILED_DOCUMENTS),
            unknown_documents=self._by_reason(UNKNOWN_DOCUMENTS),
            changed_in_xero=self._by_reason(CHANGED_IN_XERO),
            xero_day_calls_left=budget.left_today(self._limits, now) if budget and self._limits else None,
            seconds_since_amazon=_seconds_between(amazon_answered_at, now),
            seconds_since_transactions=_seconds_between(transactions_answered_at, now),
            seconds_since_xero=_seconds_between(xero_answered_at, now),
        )

    def _oldest_due(self, now: datetime) -> int:
        times = [self.store.first_due(queue) for queue in self._queues]
        return max((_seconds_between(at, now) or 0 for at in times), default=0)

    def _by_reason(self, group: str) -> Mapping[str, int]:
        return Counter(each.reason for each in self.store.watched(group, MAX_COUNTED))


def _refused_marketplaces(scope: Cursor | None) -> dict[str, str]:
    """Return the marketplaces for which Amazon refuses the search, until a test finds that it no longer does."""
    refused = marketplaces_left_out(scope) if scope else ()
    return {paused_marketplace(each): FailureCode.AMAZON_OPERATION_REFUSED for each in refused}


def _seconds_between(at: datetime | None, now: datetime) -> int | None:
    """Return how long ago that was; 0 for a time to come."""
    return None if at is None else max(0, int((now - at).total_seconds()))
