"""`connect amazon`: the credentials of an application, checked live with their roles, then stored and subscribed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Annotated, Any

import typer

from amazon_to_xero.runtime.settings import ConnectionSecrets, ConnectionSettings, SettingsError, parse
from operations.category_file import CategoryFile
from operations.command_line.asking import Yes, agreed
from operations.command_line.result import Result, table
from operations.command_line.session import Session, UsageProblem
from operations.connect import (
    Subscribed,
    check_outputs,
    secret_name,
    settings_document,
    store_file,
    store_settings,
    subscribe_all,
)
from operations.connecting.credentials import Field, FromStdin, asked
from operations.connection_secret import store_part, stored_secret, with_buyer_salt
from operations.credential_dates import DATE_OF, with_dates
from operations.doctor.amazon import check_authorisation, check_roles
from operations.doctor.checked_connection import CheckedConnection
from operations.doctor.credential_ages import secret_ends
from operations.doctor.examination import examined
from operations.doctor.finding import DoctorFinding, Severity, Side
from operations.stored_settings import check_seller

_FIELDS = (
    Field("client_id", "Client id of the Amazon application", is_hidden=False),
    Field("client_secret", "Client secret of the Amazon application"),
    Field("refresh_token", "Refresh token of the seller's authorisation"),
)

SettingsFile = Annotated[
    str, typer.Option("--settings", help="File of the settings, the first time; later, those stored stay.")
]
SecretMade = Annotated[
    datetime | None,
    typer.Option("--secret-made", formats=["%Y-%m-%d"], help="Day on which the client secret was made, if not today."),
]
Categories = Annotated[str, typer.Option("--categories", help="File of SKUs and their categories, if there is one.")]


@dataclass(frozen=True)
class _Candidate(CheckedConnection):
    """A connection as it would be with credentials and settings that are not stored yet."""

    given_settings: ConnectionSettings
    given_secrets: ConnectionSecrets

    @cached_property
    def settings(self) -> ConnectionSettings:
        return self.given_settings

    @cached_property
    def secrets(self) -> ConnectionSecrets:
        return self.given_secrets


def amazon(
    session: Session,
    settings: SettingsFile = "",
    categories: Categories = "",
    secret_made: SecretMade = None,
    yes: Yes = False,
    stdin: FromStdin = False,
) -> Result:
    """Connect Amazon: check credentials, marketplaces and roles, store settings and secret, and subscribe."""
    name = session.new_connection
    secret = secret_name(session.stack, name)
    stored = stored_secret(secret)
    if "xero" not in stored:
        raise SettingsError("Xero is not connected yet, and comes first. Run connect xero.")
    document, file = _settings(session, name, settings, categories)
    parsed = parse(ConnectionSettings, document, "the settings")
    check_outputs(session.stack, session.outputs, parsed)
    check_seller(name, parsed, session.settings)
    now = session.clock.now()
    made = _stated_day(secret_made, now)
    credentials = {**asked(_FIELDS, stored.get("amazon", {}), from_stdin=stdin), **made}
    candidate = _Candidate(session, name, parsed, _with(stored, credentials, now))
    findings = list(examined((Side.AMAZON, partial(check, candidate)) for check in (check_authorisation, check_roles)))
    if not _is_accepted(findings, yes=yes):
        return _result(name, findings, (), "Nothing was stored.")
    if file:
        store_file(file, session.outputs, name)
    store_part(secret, "amazon", credentials)
    if settings:
        store_settings(session.stack, name, document)
    return _result(name, findings, _subscribed(candidate), "", secret_ends(candidate.secrets))


def _settings(session: Session, name: str, file: str, categories: str) -> tuple[str, CategoryFile | None]:
    """Return the settings that the connection is to have. Raises UsageProblem where there are none yet.

    Categories need a file of settings, too: the stored ones name the categories that they were stored with.
    """
    if file:
        return settings_document(file, categories)
    if categories:
        raise UsageProblem("Name the file of the settings with --settings, too: --categories alone changes nothing.")
    if name not in session.settings:
        raise UsageProblem(
            f"{name} has no settings yet. Name a file of them with --settings; docs/settings.md has all."
        )
    return session.settings[name], None


def _stated_day(made: datetime | None, now: datetime) -> Mapping[str, str]:
    """Return since when the client secret is in use as the operator states it, by its field; else nothing."""
    if made is None:
        return {}
    day = made.replace(tzinfo=UTC)
    if day > now:
        raise UsageProblem(f"--secret-made names {made:%Y-%m-%d}, which has not come yet.")
    return {DATE_OF["client_secret"]: day.isoformat()}


def _with(stored: Mapping[str, Any], credentials: Mapping[str, str], now: datetime) -> ConnectionSecrets:
    """Return the secret as it would be stored now."""
    parts = with_dates({"amazon": dict(credentials), "xero": stored["xero"]}, stored, now)
    return parse(
        ConnectionSecrets, with_buyer_salt(json.dumps(parts), str(stored.get("buyer_salt", ""))), "the secrets"
    )


def _is_accepted(findings: Sequence[DoctorFinding], *, yes: bool) -> bool:
    """Whether to store the credentials: never if they do not work, else as the operator answers to what is missing."""
    if any(finding.severity is Severity.BROKEN for finding in findings):
        return False
    if all(finding.severity is Severity.NOTE for finding in findings):
        return True
    return agreed([_table(findings)], "Store the credentials nevertheless?", yes=yes)


def _subscribed(connection: _Candidate) -> Sequence[Subscribed]:
    stack, session = connection.stack, connection.session
    api_url, lwa_url = stack.amazon_api_url or None, stack.lwa_url or None
    settings, secrets = connection.settings, connection.secrets
    return list(subscribe_all(settings, secrets, session.stack, session.outputs, api_url, lwa_url))


def _result(
    name: str,
    findings: Sequence[DoctorFinding],
    subscribed: Sequence[Subscribed],
    refusal: str,
    ends: datetime | None = None,
) -> Result:
    has_problem = bool(refusal) or not all(each.is_made for each in subscribed)
    data = {
        "connection": name,
        "stored": not refusal,
        "client_secret_ends": ends,
        "findings": [finding.as_data() for finding in findings],
        "subscriptions": [each.text for each in subscribed],
    }
    rotation = (
        f"Rotate the client secret by {ends:%Y-%m-%d}: Amazon ends it 180 days after it was made." if ends else ""
    )
    end = refusal or ("" if has_problem else f"connected {name}")
    lines = [*(each.text for each in subscribed), rotation, end]
    return Result(data, [*([_table(findings)] if findings else []), *filter(None, lines)], has_problem=has_problem)


def _table(findings: Sequence[DoctorFinding]) -> Any:
    listed = [(each.severity, each.what, each.remedy) for each in findings]
    return table("What Amazon refuses or lacks", ("", "what", "what to do"), listed)
