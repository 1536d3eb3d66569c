"""The side of Xero: the consent and its scopes, the organisation, and whether the settings fit it."""

from __future__ import annotations

from collections.abc import Iterator

from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.adapters.xero.identity import XeroTokenEndpoint
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.call_budget import Limits
from amazon_to_xero.domain.failures import FailureCode
from amazon_to_xero.domain.planning.policy import InvoicePer
from amazon_to_xero.domain.planning.preflight import preflight
from amazon_to_xero.ports.state import Cursor
from amazon_to_xero.ports.xero import XeroGrantRefused, XeroTenantChanged
from amazon_to_xero.runtime.privacy import redact
from amazon_to_xero.services.posting.budget import BUDGET, budget_of
from amazon_to_xero.services.posting.tenant import TenantBoundXero
from operations.connecting.xero_grant import connected_tenants
from operations.doctor.checked_connection import CheckedConnection
from operations.doctor.finding import DoctorFinding, Severity, Side, of_failure
from operations.preflight import access_tokens
from operations.xero_scopes import granted_scopes, missing_scopes

_RESERVE = 50  # calls: the alarm xero-calls-run-out begins below it
_STARTER = ("STARTER", "GST_CASHBOOK", "NON_GST_CASHBOOK", "LEDGER")  # Xero: Organisation.Class
_INCOME = ("REVENUE", "SALES", "OTHERINCOME")
# Findings that only leave invoices unpaid, or that concern the future.
_AT_RISK = (FailureCode.NO_CLEARING, FailureCode.NO_ROUNDING_ACCOUNT, FailureCode.LOCKED_BEFORE_START)


def check_xero(checked: CheckedConnection) -> Iterator[DoctorFinding]:
    """Find what Xero refuses, and where the settings do not fit the organisation."""
    settings, stack, session = checked.settings, checked.stack, checked.session
    secrets = checked.secrets
    tokens = access_tokens(secrets.xero, secrets.connected_at, session.stack, checked.name, stack.xero_token_url)
    try:
        token = tokens.current()
    except XeroGrantRefused as problem:
        yield _refused_grant(problem)
        return
    yield from _scopes(token, attaches=settings.policy().invoice_per is InvoicePer.DAY)
    connected = list(_connected(checked, token))
    yield from connected
    if connected:
        return
    tenant_id, lists = settings.xero.tenant_id, settings.policy().lists_to_read
    accounting = XeroAccounting(tokens, tenant_id, session.clock, redact, api_url=stack.xero_api_url, lists=lists)
    bound = TenantBoundXero(accounting, session.store(checked.name), tenant_id)
    try:
        organisation = bound.organisation()
    except XeroTenantChanged:
        yield of_failure(Severity.BROKEN, Side.XERO, FailureCode.XERO_TENANT_CHANGED)
        return
    yield from _settings(checked, organisation)
    yield from _plan(organisation)
    yield from _calls(checked, accounting)


def _refused_grant(problem: XeroGrantRefused) -> DoctorFinding:
    if problem.code == "invalid_grant":
        return _finding(
            Severity.BROKEN,
            "Xero's consent has ended or was withdrawn (invalid_grant)",
            "Authorise the app in Xero again: run connect xero.",
        )
    return _finding(
        Severity.BROKEN,
        f"Xero refuses the app's client id or secret ({problem.code})",
        "Copy both from developer.xero.com, My Apps: run connect xero and enter them.",
    )


def _scopes(token: str, *, attaches: bool) -> Iterator[DoctorFinding]:
    granted = granted_scopes(token)
    for purpose, scope in missing_scopes(granted, attaches=attaches) if granted else ():
        yield _finding(
            Severity.BROKEN,
            f"the consent in Xero does not let the app {purpose}: it lacks the scope {scope}",
            f"Add {scope} to the scopes of the app and authorise it in Xero again: run connect xero.",
        )


def _connected(checked: CheckedConnection, token: str) -> Iterator[DoctorFinding]:
    stack, secrets, tenant_id = checked.stack, checked.secrets.xero, checked.settings.xero.tenant_id
    endpoint = XeroTokenEndpoint(
        secrets.client_id,
        secrets.client_secret,
        checked.session.clock,
        token_url=stack.xero_token_url,
        api_url=stack.xero_api_url,
    )
    connected = connected_tenants(endpoint, token)
    if tenant_id.lower() not in {each.tenant_id for each in connected}:
        others = ", ".join(f"{each.name} ({each.tenant_id})" for each in connected) or "none"
        yield _finding(
            Severity.BROKEN,
            f"the app is not connected to the organisation {tenant_id}; it is connected to: {others}",
            "Correct xero.tenant_id in the settings, or connect the app to the organisation in Xero, Connected apps.",
        )


def _settings(checked: CheckedConnection, organisation: Organisation) -> Iterator[DoctorFinding]:
    settings = checked.settings
    for finding in preflight(settings.policy(), organisation, settings.start):
        severity = Severity.AT_RISK if finding.code in _AT_RISK else Severity.BROKEN
        what, _, remedy = finding.remedy.partition(". ")
        yield _finding(severity, f"{finding.code}: {what}", remedy or finding.remedy)
    policy = settings.policy()
    for code in sorted({*policy.accounts.charges.values(), policy.accounts.discounts}):
        account = organisation.accounts.get(code)
        if account is not None and account.type not in _INCOME:
            yield _finding(
                Severity.AT_RISK,
                f"account {code} ({account.name}) is of type {account.type}, and sales are booked on it",
                "Name an account of type Revenue, Sales or Other income in accounts of the settings, or ask your "
                "accountant whether this one is meant.",
            )


def _plan(organisation: Organisation) -> Iterator[DoctorFinding]:
    if organisation.plan in _STARTER:
        yield _finding(
            Severity.AT_RISK,
            f"the organisation's Xero plan is {organisation.plan}, which limits how many invoices it can approve",
            "Change the plan in Xero if it has more sales than that: refused invoices fail.",
        )


def _calls(checked: CheckedConnection, xero: XeroAccounting) -> Iterator[DoctorFinding]:
    """Compare what Xero says is left of the day's calls with what the settings expect."""
    left, allowed = xero.limits().day_remaining, checked.settings.xero.calls_per_day
    if left is None:
        return
    cursors = checked.session.store(checked.name).load(Cursor, [BUDGET])
    limits, now = Limits(per_day=allowed), checked.session.clock.now()
    used = allowed - budget_of(cursors[BUDGET]).left_today(limits, now) if BUDGET in cursors else 0
    if left < _RESERVE:
        yield _finding(
            Severity.AT_RISK,
            f"Xero allows {left} more calls today",
            "Find out which other app uses the organisation's calls (Xero, Connected apps), or wait for tomorrow.",
        )
    elif left + used < allowed // 2:
        yield _finding(
            Severity.AT_RISK,
            f"xero.calls_per_day is {allowed}, and Xero allows {left} more today after {used} of this connection's",
            "Set xero.calls_per_day to 1000 if the app is on Xero's Starter tier; else find out what uses the calls.",
        )


def _finding(severity: Severity, what: str, remedy: str) -> DoctorFinding:
    return DoctorFinding(severity, Side.XERO, what, remedy)
