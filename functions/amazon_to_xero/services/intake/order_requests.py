"""What the poster asks of the orders that its documents come from: to be read or planned again."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from amazon_to_xero.domain.amazon.notification import ChangeNotice
from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.source import SourceKind, identity_of
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.services.intake.notices import NoticeRecorder
from amazon_to_xero.services.posting.organisation_cache import OrganisationCache


class OrderRequests:
    """The orders of one connection, by the keys of their sources. Keys of other sources are passed over."""

    def __init__(self, store: StateStore, notices: NoticeRecorder, organisation: OrganisationCache) -> None:
        self._store = store
        self._notices = notices
        self._organisation = organisation

    def read_again(self, sources: Sequence[str]) -> Collection[str]:
        """Make the orders due for reading; return the keys of those that failed because Amazon does not return them."""
        order_ids = _order_ids(sources)
        records = self._store.load(OrderRecord, order_ids)
        unreadable = {order_id for order_id, record in records.items() if record.is_unreadable}
        self._notices.record([ChangeNotice(order_id) for order_id in order_ids if order_id not in unreadable])
        return {records[order_id].source for order_id in unreadable}

    def plan_again(self, sources: Sequence[str]) -> None:
        """Make the orders due for planning."""
        self._notices.record_shipments([ChangeNotice(order_id, reprocess=True) for order_id in _order_ids(sources)])

    def plan_for_other_dates(self, sources: Sequence[str]) -> None:
        """Make the orders due for planning with the lock dates that Xero has now."""
        self._organisation.expire()
        self.plan_again(sources)


def _order_ids(sources: Sequence[str]) -> list[str]:
    ids = (identity_of(source, SourceKind.ORDER) for source in sources)
    return [order_id for order_id in ids if order_id]
