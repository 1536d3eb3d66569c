"""Binds a connection to the organisation that it first posted to. Another one has other documents under our numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.books.texts import folded
from amazon_to_xero.domain.stock.items import XeroItem
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.ports.state import Conflict, Cursor, StateStore
from amazon_to_xero.ports.xero import Outcome, XeroApi, XeroLimits, XeroOutcomeUnknown, XeroTenantChanged
from amazon_to_xero.services.state_updates import update_cursor

_NAME = "xero-tenant"


class TenantBoundXero:
    """ports.XeroApi around another. Raises XeroTenantChanged once the connection has posted to another tenant.

    The first write that Xero may have executed decides to which tenant a connection belongs.
    """

    def __init__(self, xero: XeroApi, store: StateStore, tenant_id: str) -> None:
        self._xero = xero
        self._store = store
        self._tenant_id = tenant_id
        self._is_bound = False  # to this tenant, as far as this execution environment has seen

    def create(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        return self._write(f"create{collection}", lambda: self._xero.create(collection, elements, idempotency_key))

    def update(self, collection: str, elements: Sequence[Json], idempotency_key: str) -> list[Outcome]:
        return self._write(f"update{collection}", lambda: self._xero.update(collection, elements, idempotency_key))

    def lookup_groups(self, collection: str, field: str, values: Sequence[str]) -> list[list[str]]:
        return self._xero.lookup_groups(collection, field, values)

    def find(self, collection: str, field: str, values: Sequence[str]) -> list[Json]:
        self._check(f"get{collection}")
        return self._xero.find(collection, field, values)

    def approved_since(self, since: datetime, page: int) -> list[Json]:
        self._check("getInvoices")
        return self._xero.approved_since(since, page)

    def changed_since(self, collection: str, since: datetime, page: int) -> list[Json]:
        self._check(f"get{collection}")
        return self._xero.changed_since(collection, since, page)

    def attach(self, collection: str, document_id: str, file_name: str, content: bytes, idempotency_key: str) -> None:
        # What it is attached to was written before, and has bound the connection.
        self._check("createAttachments")
        self._xero.attach(collection, document_id, file_name, content, idempotency_key)

    def attachments(self, collection: str, document_id: str) -> list[Json]:
        self._check("getAttachments")
        return self._xero.attachments(collection, document_id)

    def organisation(self) -> Organisation:
        self._check("getOrganisation")
        return self._xero.organisation()

    def items(self) -> list[XeroItem]:
        self._check("getItems")
        return self._xero.items()

    def limits(self) -> XeroLimits:
        return self._xero.limits()

    def _write(self, operation: str, write: Callable[[], list[Outcome]]) -> list[Outcome]:
        self._check(operation)
        try:
            outcomes = write()
        except XeroOutcomeUnknown:
            self._bind()
            raise
        self._bind()
        return outcomes

    def _check(self, operation: str) -> None:
        if self._is_bound:
            return
        bound_to = self._store.cursor(_NAME).data.get("tenant_id", "")
        self._is_bound = folded(bound_to) == folded(self._tenant_id)
        if bound_to and not self._is_bound:
            raise XeroTenantChanged(operation, bound_to, self._tenant_id)

    def _bind(self) -> None:
        """Store the tenant; the next call finds out where another worker was faster."""

        def bound(cursor: Cursor) -> Mapping[str, str] | None:
            return None if cursor.data else {"tenant_id": self._tenant_id}

        if not self._is_bound:
            with suppress(Conflict):
                update_cursor(self._store, _NAME, bound)
