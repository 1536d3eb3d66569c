"""What the poster and the planners ask of the sources that documents come from: to be read or planned again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.source import SourceKind, identity_of
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.intake.notices import NoticeRecorder
from amazon_to_xero.services.intake.transaction_notices import TransactionNotices
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache


class SourceRequests:
    """The orders and transactions of one connection, by the keys of their sources."""

    def __init__(
        self,
        store: StateStore,
        notices: NoticeRecorder,
        transaction_notices: TransactionNotices,
        organisation: OrganisationCache,
        plan_days: Callable[[Sequence[str]], None],
    ) -> None:
        """`plan_days` makes closed days due for planning, by their numbers."""
        self._plan_days = plan_days
        self._store = store
        self._notices = notices
        self._transaction_notices = transaction_notices
        self._organisation = organisation

    def read(self, order_ids: Sequence[str]) -> None:
        """Make orders due for reading."""
        self._notices.record([ChangeNotice(order_id) for order_id in order_ids])

    def plan_orders(self, order_ids: Sequence[str]) -> None:
        """Make orders due for planning."""
        self._notices.record_shipments([ChangeNotice(order_id, reprocess=True) for order_id in order_ids])

    def read_again(self, sources: Sequence[str]) -> Collection[str]:
        """Make the orders due for reading; return the keys of those that failed because Amazon does not return them."""
        order_ids = _ids(sources, SourceKind.ORDER)
        records = self._store.load(OrderRecord, order_ids)
        unreadable = {order_id for order_id, record in records.items() if record.is_unreadable}
        self.read([order_id for order_id in order_ids if order_id not in unreadable])
        return {records[order_id].source for order_id in unreadable}

    def plan_again(self, sources: Sequence[str]) -> None:
        """Make the orders, transactions and closed days due for planning."""
        order_ids, transaction_ids = (_ids(sources, kind) for kind in (SourceKind.ORDER, SourceKind.TRANSACTION))
        self.plan_orders(order_ids)
        self._transaction_notices.record([ChangeNotice(each, reprocess=True) for each in transaction_ids])
        if numbers := _ids(sources, SourceKind.DAY):
            self._plan_days(numbers)

    def plan_for_other_dates(self, sources: Sequence[str]) -> None:
        """Make the sources due for planning with the lock dates that Xero has now."""
        self._organisation.expire()
        self.plan_again(sources)


def _ids(sources: Sequence[str], kind: SourceKind) -> list[str]:
    """Return the ids of the sources of a kind."""
    ids = (identity_of(source, kind) for source in sources)
    return [each for each in ids if each]
