"""`connect xero`: a consent in the browser, or a custom connection's credentials, checked and stored in the secret."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from typing import Annotated

import typer

from amazon_to_xero.adapters.xero.identity import XeroTokenEndpoint
from amazon_to_xero.domain.planning.policy import InvoicePer
from amazon_to_xero.runtime.settings import ConnectionSettings, SettingsError, parse
from operations.command_line.result import Result, console, show
from operations.command_line.session import Session, UsageProblem
from operations.connect import secret_name
from operations.connecting.browser_consent import ConsentCallback
from operations.connecting.credentials import Field, FromStdin, asked
from operations.connecting.xero_grant import Tenant, consent_url, tenants, tokens_of_code, tokens_of_custom_connection
from operations.connection_secret import store_part, stored_secret
from operations.doctor.checked_connection import CheckedConnection

_FIELDS = (
    Field("client_id", "Client id of the Xero app", is_hidden=False),
    Field("client_secret", "Client secret of the Xero app"),
)
_PORT = 8765  # part of the redirect URI, which docs/deploy.md has people register

CustomConnection = Annotated[
    bool, typer.Option("--custom-connection", help="Of a custom connection, which needs no consent in the browser.")
]
TenantOption = Annotated[str, typer.Option("--tenant", help="Name or tenant id of the organisation, among several.")]
Port = Annotated[
    int, typer.Option("--port", help="Of the redirect URI http://localhost:PORT/callback.", min=1, max=65535)
]
Timeout = Annotated[int, typer.Option("--timeout", help="Seconds to wait for the consent.", min=1)]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Open the browser, or only print the address.")]


def xero(
    session: Session,
    custom_connection: CustomConnection = False,
    tenant: TenantOption = "",
    port: Port = _PORT,
    timeout: Timeout = 300,
    browser: Browser = True,
    stdin: FromStdin = False,
) -> Result:
    """Connect Xero: consent in the browser, check scopes and organisation, store the credentials in the secret."""
    name = session.new_connection
    settings = _stored_settings(session, name)
    attaches = settings is not None and settings.policy().invoice_per is InvoicePer.DAY
    secret, stack = secret_name(session.stack, name), CheckedConnection(session, name).stack
    credentials = asked(_FIELDS, stored_secret(secret).get("xero", {}), from_stdin=stdin)
    client_id, client_secret = credentials["client_id"], credentials["client_secret"]
    endpoint = XeroTokenEndpoint(
        client_id, client_secret, session.clock, token_url=stack.xero_token_url, api_url=stack.xero_api_url
    )
    if custom_connection:
        tokens = tokens_of_custom_connection(endpoint, attaches=attaches)
    else:
        with ConsentCallback(port) as callback:
            url = consent_url(stack.xero_token_url, client_id, callback.redirect_uri, callback.state)
            code = _consented(callback, url, timeout, browser=browser)
            tokens = tokens_of_code(endpoint, code, callback.redirect_uri, attaches=attaches)
    of_settings = settings.xero.tenant_id.lower() if settings else ""
    chosen = _chosen(tenants(endpoint, tokens), tenant, of_settings, asking=not stdin)
    refresh = {"refresh_token": tokens.refresh_token} if tokens.refresh_token else {}
    is_complete = "amazon" in store_part(secret, "xero", {**credentials, **refresh})
    return _connected(name, chosen, is_complete=is_complete and settings is not None)


def _consented(callback: ConsentCallback, url: str, timeout: int, *, browser: bool) -> str:
    """Return the code of a person's consent. Raises SettingsError where there is none."""
    where = "Consent in a browser on this machine, as an administrator of the organisation:"
    show([where], stderr=True)
    console(stderr=True).print(url, markup=False, soft_wrap=True)  # in one piece, to be copied
    show([f"Waiting {timeout} seconds for it at {callback.redirect_uri}"], stderr=True)
    if browser:
        webbrowser.open(url)
    return callback.wait(timeout)


def _stored_settings(session: Session, name: str) -> ConnectionSettings | None:
    stored = session.settings.get(name)
    return parse(ConnectionSettings, stored, f"the settings of {name}") if stored else None


def _chosen(found: Sequence[Tenant], named: str, of_settings: str, *, asking: bool) -> Tenant:
    """Return one of the organisations. Raises SettingsError, and UsageProblem where it has to be named.

    of_settings: the tenant id that the stored settings name; empty if none are stored.
    """
    listed = ", ".join(f"{each.name} ({each.tenant_id})" for each in found)
    wanted = named or of_settings
    if wanted:
        matching = [each for each in found if wanted.lower() in (each.tenant_id, each.name.lower())]
        if len(matching) != 1:
            raise SettingsError(
                f"the app is not connected to one organisation {wanted}, but to: {listed}. Nothing was stored. "
                "Consent again and choose it, or correct --tenant or xero.tenant_id."
            )
    else:
        matching = list(found) if len(found) == 1 else [_asked_for(found, listed, asking=asking)]
    if of_settings and matching[0].tenant_id != of_settings:
        raise SettingsError(
            f"the stored settings name the organisation {of_settings}, and this is {matching[0].name} "
            f"({matching[0].tenant_id}). Nothing was stored. "
            "Leave --tenant out, or give the other organisation a connection of its own with --connection."
        )
    return matching[0]


def _asked_for(found: Sequence[Tenant], listed: str, *, asking: bool) -> Tenant:
    problem = f"The app is connected to {listed}. Nothing was stored. Name one organisation with --tenant."
    if not asking:
        raise UsageProblem(problem)
    show([f"{number}  {each.name} ({each.tenant_id})" for number, each in enumerate(found, 1)], stderr=True)
    numbers = {str(number): each for number, each in enumerate(found, 1)}
    answer = ""
    try:
        while answer not in numbers:
            answer = str(typer.prompt("Number of the organisation", err=True)).strip()
    except typer.Abort:
        raise UsageProblem(problem) from None
    return numbers[answer]


def _connected(name: str, tenant: Tenant, *, is_complete: bool) -> Result:
    data = {"connection": name, "tenant_id": tenant.tenant_id, "organisation": tenant.name, "complete": is_complete}
    lines = [f"Stored Xero's credentials of {name}: organisation {tenant.name}"]
    if is_complete:
        lines.append("The functions use them within 5 minutes.")
    else:
        lines.append(f"Set xero.tenant_id to {tenant.tenant_id} in the settings. Next: connect amazon --settings FILE")
    return Result(data, lines)
