"""Compares the settings with the Xero organisation: what does not fit, and which tax rules would.

    python -m operations.preflight --settings FILE --secrets FILE [--stack NAME --connection NAME]

Reads only. Prints each finding with its remedy, then rules for `tax` of the settings, each usable in the organisation as
it is now: a proposal for the person who writes the settings, and for her accountant. Exits with 1 when there is a
finding.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import boto3

from amazon_to_xero.adapters.dynamodb.table import DynamoStateStore
from amazon_to_xero.adapters.xero.accounting import API_URL, XeroAccounting
from amazon_to_xero.adapters.xero.identity import TOKEN_URL, XeroTokenEndpoint
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.planning.preflight import preflight
from amazon_to_xero.domain.tax.proposals import propose_tax_rules
from amazon_to_xero.domain.tax.rules import TaxRule
from amazon_to_xero.ports.xero import AccessTokens, XeroError, XeroGrantRefused
from amazon_to_xero.runtime.observability import PowertoolsDecisionLog, SystemClock
from amazon_to_xero.runtime.privacy import redact
from amazon_to_xero.runtime.settings import ConnectionSecrets, ConnectionSettings, SettingsError, parse
from amazon_to_xero.services.posting.tokens import XeroTokens
from operations.connect import outputs, text_of


class CustomConnection:
    """ports.AccessTokens of a custom connection, whose tokens are independent of each other."""

    def __init__(self, endpoint: XeroTokenEndpoint) -> None:
        self._endpoint = endpoint
        self._held = ""

    def current(self) -> str:
        return self._held or self.renewed("")

    def renewed(self, stale: str) -> str:
        self._held = self._endpoint.client_credentials().access_token
        return self._held


def tokens_of(secrets: ConnectionSecrets, stack: str, connection: str, token_url: str) -> AccessTokens:
    """Raises SettingsError for an app's refresh token without a stack: it rotates, and the stack keeps the newest."""
    clock = SystemClock()
    endpoint = XeroTokenEndpoint(secrets.xero.client_id, secrets.xero.client_secret, clock, token_url=token_url)
    if secrets.xero.refresh_token is None:
        return CustomConnection(endpoint)
    if not stack:
        raise SettingsError(
            "the secrets have a refresh token, which the deployed functions renew in turn: "
            "connect first, then give the stack's name (make preflight STACK=name ...)"
        )
    store = DynamoStateStore(outputs(stack)["TableName"], connection, boto3.session.Session().region_name)
    owner = f"preflight#{os.getpid()}"
    return XeroTokens(endpoint, store, clock, PowertoolsDecisionLog(connection), owner, seed=secrets.xero.refresh_token)


def report(settings: ConnectionSettings, organisation: Organisation) -> tuple[list[str], bool]:
    """The lines to print, and whether the settings fit the organisation."""
    findings = preflight(settings.policy(), organisation, settings.start)
    proposal = propose_tax_rules(organisation, settings.amazon.marketplaces)
    lines = [f"{organisation.name} ({organisation.country}, {organisation.base_currency}, {organisation.time_zone})"]
    lines += [f"{finding.code}: {finding.remedy}" for finding in findings] or ["the settings fit the organisation"]
    lines += ["", "tax rules to propose (not tax advice; show them to your accountant):"]
    lines += [f"  {line}" for line in _table(proposal.rules)]
    lines += [f"not proposed, {finding.code}: {finding.remedy}" for finding in proposal.findings]
    return lines, not findings


def _table(rules: Sequence[TaxRule]) -> list[str]:
    """`"rules": [...]` of the settings, a rule a line."""
    written = [json.dumps(_as_settings(rule)) for rule in rules]
    return ['"rules": [', *(f"  {rule}{',' if rule != written[-1] else ''}" for rule in written), "]"]


def _as_settings(rule: TaxRule) -> Mapping[str, Any]:
    amounts = {"Inclusive": "inclusive", "Exclusive": "exclusive", "NoTax": "none"}[rule.amounts.value]
    conditions = {
        "marketplaces": sorted(rule.marketplaces),
        "ship_to": sorted(rule.ship_to),
        "regions": sorted(rule.regions),
        "responsible": rule.responsible,
        "amazon_tax": rule.amazon_tax,
        "scheme": rule.scheme,
        "business": rule.business,
        "category": rule.category,
    }
    named = {name: value for name, value in conditions.items() if value not in (None, "", [])}
    return named | {"amounts": amounts, "tax_type": rule.tax_type}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="preflight", description="Compare the settings with the organisation.")
    parser.add_argument("--settings", required=True, help="the settings document, JSON; README shows one")
    parser.add_argument("--secrets", required=True, help="the secrets document, JSON")
    parser.add_argument("--stack", default="", help="the CloudFormation stack's name; needed for a refresh token")
    parser.add_argument("--connection", default="main", help="the connection's name (default: main)")
    parser.add_argument("--xero-api-url", default=API_URL, help="instead of Xero's own")
    parser.add_argument("--xero-token-url", default=TOKEN_URL, help="instead of Xero's own")
    given = parser.parse_args(arguments)
    try:
        settings = parse(ConnectionSettings, text_of(given.settings), "the settings")
        secrets = parse(ConnectionSecrets, text_of(given.secrets), "the secrets")
        tokens = tokens_of(secrets, given.stack, given.connection, given.xero_token_url)
        xero = XeroAccounting(tokens, settings.xero.tenant_id, SystemClock(), redact, api_url=given.xero_api_url)
        lines, fits = report(settings, xero.organisation())
    except (SettingsError, XeroError, XeroGrantRefused) as problem:
        print(problem, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0 if fits else 1


if __name__ == "__main__":
    sys.exit(main())
