"""What Xero grants an app: tokens with scopes, and organisations. Nothing is stored here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin

from amazon_to_xero.adapters.xero.identity import TOKEN_URL, XeroTokenEndpoint
from amazon_to_xero.ports.xero import TokenSet, XeroGrantRefused
from amazon_to_xero.runtime.settings import SettingsError
from operations.xero_scopes import OFFLINE, REQUESTED, granted_scopes, missing_scopes

_CONSENT_URL = "https://login.xero.com/identity/connect/authorize"
_CONSENT_PATH = "/identity/connect/authorize"


@dataclass(frozen=True)
class Tenant:
    """An organisation that the app is connected to."""

    tenant_id: str
    name: str


def consent_url(token_url: str, client_id: str, redirect_uri: str, state: str) -> str:
    """Return the address at which a person consents.

    token_url: where the stack asks for tokens; if that is not Xero's own address, the consent is given there too.
    """
    base = _CONSENT_URL if token_url == TOKEN_URL else urljoin(token_url, _CONSENT_PATH)
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(REQUESTED),
        "state": state,
    }
    return f"{base}?{urlencode(query)}"


def tokens_of_code(endpoint: XeroTokenEndpoint, code: str, redirect_uri: str, *, attaches: bool = False) -> TokenSet:
    """Return the tokens of a consent. Raises SettingsError for what Xero refuses, and for a missing scope.

    attaches: as for missing_scopes.
    """
    with _refusals_explained():
        tokens = endpoint.authorisation_code(code, redirect_uri)
    if not tokens.refresh_token:
        raise _scope_missing("work for longer than 30 minutes", OFFLINE)
    _check_scopes(tokens, attaches=attaches)
    return tokens


def tokens_of_custom_connection(endpoint: XeroTokenEndpoint, *, attaches: bool = False) -> TokenSet:
    """Return an access token of a custom connection. Raises SettingsError as for a consent."""
    with _refusals_explained():
        tokens = endpoint.client_credentials()
    _check_scopes(tokens, attaches=attaches)
    return tokens


def tenants(endpoint: XeroTokenEndpoint, tokens: TokenSet) -> Sequence[Tenant]:
    """Return the organisations that the app is connected to; never empty. Raises SettingsError, XeroError."""
    found = connected_tenants(endpoint, tokens.access_token)
    if not found:
        raise SettingsError(
            "the app is connected to no organisation, and nothing was stored. Consent again and choose one; "
            "for a custom connection, have the person whom it names authorise it by Xero's email."
        )
    return found


def connected_tenants(endpoint: XeroTokenEndpoint, access_token: str) -> Sequence[Tenant]:
    """Return the organisations that the app is connected to, perhaps none. Raises XeroError."""
    return [
        Tenant(str(each.get("tenantId")).lower(), str(each.get("tenantName")))
        for each in endpoint.connections(access_token)
        if each.get("tenantType", "ORGANISATION") == "ORGANISATION"
    ]


def _check_scopes(tokens: TokenSet, *, attaches: bool) -> None:
    granted = tokens.scopes or granted_scopes(tokens.access_token)
    for purpose, scope in missing_scopes(granted, attaches=attaches):
        raise _scope_missing(purpose, scope)


def _scope_missing(purpose: str, scope: str) -> SettingsError:
    return SettingsError(
        f"the consent does not let the app {purpose}: it lacks the scope {scope}. Nothing was stored. "
        "Add the scope to the app at developer.xero.com, My Apps, where it lists scopes, and consent again."
    )


@contextmanager
def _refusals_explained() -> Iterator[None]:
    try:
        yield
    except XeroGrantRefused as problem:
        code = problem.code
    else:
        return
    if code == "invalid_grant":
        raise SettingsError(
            "Xero refuses the code of the consent (invalid_grant), which is valid for 5 minutes and once. "
            "Nothing was stored. Run it again."
        )
    raise SettingsError(
        f"Xero refuses the app's client id or secret ({code}). Nothing was stored. Copy both from developer.xero.com, "
        "My Apps, and run it again; --custom-connection is for a custom connection, and only for one."
    )
