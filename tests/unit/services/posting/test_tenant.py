"""A connection posts to one Xero organisation: settings that name another one pause it before anything is sent."""

from __future__ import annotations

import pytest

from amazon_to_xero.domain.books.document import DocumentState
from amazon_to_xero.ports.xero import XeroNotAuthorised
from fakes.vendors import lost
from unit.desired_documents import CONTACT, desired_invoice
from unit.services.posting.posting_connection import PostingConnection


def connect_to(connection: PostingConnection, tenant_id: str) -> None:
    """Run make connect with settings that name this tenant; another pause has ended by then."""
    connection.tenant_id = tenant_id
    connection.restart()
    connection.clock.advance(901)


def test_connection_whose_settings_name_another_tenant_posts_nothing_and_logs_what_to_do() -> None:
    connection = PostingConnection(desired_invoice("A"))
    connection.post()
    calls = len(connection.xero.calls)
    connection.request(desired_invoice("B"))

    connect_to(connection, "tenant-2")
    assert connection.post().stopped == "XERO_TENANT_CHANGED"
    assert connection.post().stopped == "XERO_PAUSED"

    assert len(connection.xero.calls) == calls
    assert connection.failures() == []
    (paused,) = connection.decisions.of("PAUSED")
    assert (paused["reason"], paused["service"]) == ("XERO_TENANT_CHANGED", "xero")
    assert str(paused["remedy"]).startswith("Set xero.tenant_id back to tenant-1")
    assert "tenant-2" in str(paused["remedy"])

    # And everything goes on once the old tenant is back
    connect_to(connection, "TENANT-1")
    connection.post()
    assert connection.invoice_numbers() == ["A", "B"]


def test_organisation_of_another_tenant_is_not_read_and_nothing_is_planned_by_it() -> None:
    connection = PostingConnection(desired_invoice("A"))
    connection.post()
    connect_to(connection, "tenant-2")
    calls = len(connection.xero.calls)

    assert connection.connection.services.organisation.unavailable_reason() == "XERO_TENANT_CHANGED"
    assert len(connection.xero.calls) == calls


def test_tenant_that_xero_refused_does_not_bind_the_connection() -> None:
    connection = PostingConnection(CONTACT, contact_exists=False)
    connection.xero.before = [XeroNotAuthorised("createContacts", 403, "AuthenticationUnsuccessful")]
    connection.post()

    connect_to(connection, "tenant-2")
    connection.post()

    assert connection.contact().state is DocumentState.APPLIED


@pytest.mark.parametrize("is_lost", [False, True])
def test_first_write_binds_the_connection_even_where_its_answer_was_lost(is_lost: bool) -> None:
    connection = PostingConnection(CONTACT, contact_exists=False)
    connection.xero.after = [lost("createContacts"), lost("createContacts")] if is_lost else []
    connection.post()

    connect_to(connection, "tenant-2")
    connection.request(desired_invoice())

    assert connection.post().stopped == "XERO_TENANT_CHANGED"


def test_tenant_is_stored_once() -> None:
    connection = PostingConnection(desired_invoice("A"))
    connection.post()
    connection.restart()
    connection.request(desired_invoice("B"))
    connection.post()

    assert connection.store.writes("CURSOR#xero-tenant") == 1
