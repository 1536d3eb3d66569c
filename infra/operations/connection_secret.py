"""The secret of a connection in Secrets Manager: credentials of both sides, and the buyer salt, which never changes.

It may have the credentials of one side only, as long as the connection has no settings: no function reads it before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import boto3

from amazon_to_xero.runtime.settings import ConnectionSecrets, SettingsError, parse
from operations.credential_dates import with_dates


def store_secret(name: str, secrets: str) -> ConnectionSecrets:
    """Create or replace the secret of that name; the buyer salt of an existing one is kept.

    Raises SettingsError before anything is written.
    """

    def replaced(stored: str | None) -> str:
        document = _dated(with_buyer_salt(secrets, _buyer_salt(stored, name)), _document(stored, name))
        parse(ConnectionSecrets, document, "the secrets")
        return document

    return parse(ConnectionSecrets, _replace_secret(name, replaced), "the secrets")


def store_part(name: str, part: str, credentials: Mapping[str, str]) -> Mapping[str, Any]:
    """Replace the credentials of one side, create the secret if there is none, and return the whole document.

    part: amazon or xero.

    Raises SettingsError before anything is written.
    """

    def replaced(stored: str | None) -> str:
        before = _document(stored, name)
        document = {**before, part: dict(credentials)}
        return _dated(with_buyer_salt(json.dumps(document), _buyer_salt(stored, name)), before)

    document: Mapping[str, Any] = json.loads(_replace_secret(name, replaced))
    return document


def stored_secret(name: str) -> Mapping[str, Any]:
    """Return the secret's document, empty if there is none or it is marked for deletion.

    Raises SettingsError for one that is not a JSON object.
    """
    manager = boto3.client("secretsmanager")
    try:
        stored = str(manager.get_secret_value(SecretId=name)["SecretString"])
    except (manager.exceptions.ResourceNotFoundException, manager.exceptions.InvalidRequestException):
        return {}
    return _document(stored, name)


def with_buyer_salt(secrets: str, stored_salt: str = "") -> str:
    """Return the secrets document with a buyer salt: the stored one, else the document's own, else a new random one.

    Raises SettingsError if the document has another salt than the stored one. Text that is not a JSON object is
    returned unchanged, for `parse` to reject.
    """
    try:
        document = json.loads(secrets)
    except ValueError:
        return secrets
    if not isinstance(document, dict):
        return secrets
    given = document.get("buyer_salt")
    if stored_salt and given not in (None, stored_salt):
        raise SettingsError(
            "the secrets have another buyer_salt than the stored secret. Remove it from the document: "
            "a new salt would create a second contact for every buyer."
        )
    return json.dumps(document | {"buyer_salt": stored_salt or given or token_hex(32)})


def _replace_secret(name: str, replaced: Callable[[str | None], str]) -> str:
    """Write what `replaced` makes of the stored secret (None if there is none), and return it."""
    manager = boto3.client("secretsmanager")
    stored = _restored(manager, name)
    if stored is None:
        document = replaced(None)
        try:
            manager.create_secret(Name=name, SecretString=document)
            return document
        except manager.exceptions.ResourceExistsException:  # a concurrent connect created it: keep its salt
            stored = _restored(manager, name)
    document = replaced(stored)
    manager.put_secret_value(SecretId=name, SecretString=document)
    return document


def _restored(manager: Any, name: str) -> str | None:
    """Return the stored secret, None if there is none. One that `make disconnect` marked for deletion is restored."""
    try:
        return str(manager.get_secret_value(SecretId=name)["SecretString"])
    except manager.exceptions.ResourceNotFoundException:
        return None
    except manager.exceptions.InvalidRequestException:
        manager.restore_secret(SecretId=name)
        return str(manager.get_secret_value(SecretId=name)["SecretString"])


def _dated(secrets: str, before: Mapping[str, Any]) -> str:
    """Return the secrets document with the time of this connect, and since when Amazon's credentials are in use.

    before: the document that it replaces. Text that is no JSON object is returned unchanged, for `parse` to reject.
    """
    try:
        document = json.loads(secrets)
    except ValueError:
        return secrets
    if not isinstance(document, dict):
        return secrets
    now = datetime.now(UTC)
    return json.dumps({**with_dates(document, before, now), "connected_at": now.isoformat()})


def _buyer_salt(stored: str | None, name: str) -> str:
    """Return the salt in a stored secret, empty if it has none."""
    return str(_document(stored, name).get("buyer_salt") or "")


def _document(stored: str | None, name: str) -> Mapping[str, Any]:
    """Return a stored secret as an object, empty if there is none. Raises SettingsError."""
    try:
        document = json.loads(stored or "{}")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise SettingsError(
            f"the stored secret {name} is not a JSON object, so its buyer salt is unknown. "
            "Restore an earlier version of the secret, or delete it if no buyer has a contact yet."
        )
    return document
