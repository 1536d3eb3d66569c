"""When a backfill may go on: current orders come first, and it leaves the rest of the day's calls to them."""

from __future__ import annotations

from amazon_to_xero.domain.backfill.backfill import Share
from amazon_to_xero.domain.backfill.forecast import ORDERS_A_PAGE, Documents, Range, calls_to_xero
from amazon_to_xero.domain.call_budget import Limits
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS, SHIPMENTS
from amazon_to_xero.domain.failures import WaitReason
from amazon_to_xero.ports.clock import Clock
from amazon_to_xero.ports.state import DOCUMENTS, StateStore
from amazon_to_xero.services.posting.budget import BUDGET, budget_of

PAGES_A_STEP = 4  # of orders: their documents keep a current order waiting for less than a minute
STEPS_A_DAY = 96  # template.yaml: orders are swept every 15 minutes
_QUEUES = (ORDERS, SHIPMENTS, REFUNDS, DOCUMENTS)


class BackfillPace:
    """The pace of one connection's backfills."""

    def __init__(self, store: StateStore, limits: Limits, documents: Documents, clock: Clock) -> None:
        """`limits` are Xero's of the connection; `documents` are those of its orders."""
        self._store = store
        self._limits = limits
        self._clock = clock
        self._calls_a_page = calls_to_xero(Range(0, ORDERS_A_PAGE), documents).high or 0

    def reason_to_wait(self) -> str:
        """Return why no step is begun now: something is due, of current orders or of the last step. Empty for no."""
        now = self._clock.now()
        is_due = any(self._store.due(queue, now, 1) for queue in _QUEUES)
        return WaitReason.CURRENT_ORDERS_FIRST if is_due else ""

    def share_reason(self, share: Share, pages: int = 1) -> str:
        """Return why no page is read now: what it costs might exceed the share of the day's calls. Empty for no.

        pages: of orders in this step, with this one: nothing of them is posted yet.
        """
        is_used = self.calls_left(share) < pages * self._calls_a_page
        return WaitReason.BACKFILL_SHARE_USED if is_used else ""

    def calls_left(self, share: Share) -> int:
        """Return how many calls of the share the last day has left."""
        left_today = budget_of(self._store.cursor(BUDGET)).left_today(self._limits, self._clock.now())
        used = self._limits.per_day - left_today
        return share.of_day(self._limits.per_day) - used
