"""The Xero organisation of a session's connection, for commands that read something of it. Nothing is written."""

from __future__ import annotations

from amazon_to_xero.adapters.xero.accounting import NO_LISTS, XeroAccounting
from amazon_to_xero.domain.books.organisation_lists import ListsToRead
from amazon_to_xero.ports.xero import XeroApi
from amazon_to_xero.runtime.privacy import redact
from operations.command_line.session import Session
from operations.doctor.checked_connection import CheckedConnection
from operations.preflight import access_tokens


def xero_of(session: Session, lists: ListsToRead = NO_LISTS) -> XeroApi:
    """Return the organisation's API. Raises SettingsError where the settings or the secret cannot be used.

    lists: what is read with the organisation besides its accounts, tax rates and currencies.
    """
    checked = CheckedConnection(session, session.connection)
    secrets, stack = checked.secrets, checked.stack
    tokens = access_tokens(secrets.xero, secrets.connected_at, session.stack, checked.name, stack.xero_token_url)
    tenant_id = checked.settings.xero.tenant_id
    return XeroAccounting(tokens, tenant_id, session.clock, redact, api_url=stack.xero_api_url, lists=lists)
