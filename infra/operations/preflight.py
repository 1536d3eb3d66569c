"""Check the settings against the Xero organisation, and propose tax rules.

    python -m operations.preflight --settings FILE --secrets FILE [--stack NAME --connection NAME]

It only reads. It prints each finding with its remedy, then rules for `tax` in the settings, each usable in the
organisation as it is now: a proposal for the person who writes the settings, and for their accountant. The exit status
is 1 if there is a finding.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from amazon_to_xero.adapters.aws.encryption import KmsEncryption
from amazon_to_xero.adapters.xero.accounting import XeroAccounting
from amazon_to_xero.adapters.xero.identity import XeroTokenEndpoint
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.planning.preflight import preflight
from amazon_to_xero.domain.tax.proposals import propose_tax_rules
from amazon_to_xero.domain.tax.rules import TaxRule
from amazon_to_xero.ports.xero import AccessTokens, XeroError, XeroGrantRefused
from amazon_to_xero.runtime.observability import PowertoolsDecisionLog, SystemClock
from amazon_to_xero.runtime.privacy import redact
from amazon_to_xero.runtime.settings import ConnectionSecrets, ConnectionSettings, SettingsError, parse
from amazon_to_xero.runtime.settings.secrets import XeroSecrets
from amazon_to_xero.services.posting.tokens import XeroTokens
from operations.category_file import category_file
from operations.connect import read_document, secret_name, stack_outputs, state_store
from operations.connection_secret import stored_secret, with_buyer_salt
from operations.problems import explain_aws, explain_xero
from operations.stack_addresses import addresses_of


class CustomConnection:
    """ports.AccessTokens of a custom connection, whose access tokens do not invalidate each other."""

    def __init__(self, endpoint: XeroTokenEndpoint) -> None:
        self._endpoint = endpoint
        self._held = ""

    def current(self) -> str:
        return self._held or self.renewed("")

    def renewed(self, stale: str) -> str:
        self._held = self._endpoint.client_credentials().access_token
        return self._held


def access_tokens(
    xero: XeroSecrets, connected_at: datetime | None, stack: str, connection: str, token_url: str
) -> AccessTokens:
    """Return what issues access tokens for Xero.

    Raises SettingsError for a refresh token without a stack: it is replaced at each use, and the stack's table has the
    newest one.
    """
    clock = SystemClock()
    endpoint = XeroTokenEndpoint(xero.client_id, xero.client_secret, clock, token_url=token_url)
    if xero.refresh_token is None:
        return CustomConnection(endpoint)
    if not stack:
        raise SettingsError(
            "the secrets have a refresh token, which the deployed functions replace at each use. "
            "Run make connect first, then name the stack (make preflight STACK=name ...)."
        )
    outputs = stack_outputs(stack)
    if "TokenKeyArn" not in outputs:
        raise SettingsError(f"the stack {stack} is of an earlier version. Run make deploy first.")
    store = state_store(outputs, connection)
    encryption = KmsEncryption(boto3.client("kms"), outputs["TokenKeyArn"], connection)
    owner = f"preflight#{os.getpid()}"
    decisions = PowertoolsDecisionLog(connection)
    return XeroTokens(endpoint, store, clock, decisions, owner, xero.refresh_token, connected_at, encryption)


def report(settings: ConnectionSettings, organisation: Organisation) -> tuple[list[str], bool]:
    """Return the lines to print, and whether the settings fit the organisation."""
    findings = preflight(settings.policy(), organisation, settings.start)
    proposal = propose_tax_rules(organisation, settings.amazon.marketplaces)
    lines = [f"{organisation.name} ({organisation.country}, {organisation.base_currency}, {organisation.time_zone})"]
    lines += [f"{finding.code}: {finding.remedy}" for finding in findings] or ["the settings fit the organisation"]
    lines += ["", "proposed tax rules (not tax advice; show them to your accountant):"]
    lines += [f"  {line}" for line in _rules_as_json(proposal.rules)]
    lines += [f"not proposed, {finding.code}: {finding.remedy}" for finding in proposal.findings]
    return lines, not findings


def _rules_as_json(rules: Sequence[TaxRule]) -> list[str]:
    """Return `"rules": [...]` as in the settings, one rule per line."""
    last = len(rules) - 1
    lines = [f"  {json.dumps(_as_settings(rule))}{',' if n < last else ''}" for n, rule in enumerate(rules)]
    return ['"rules": [', *lines, "]"]


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


def _xero_secrets(file: str, stack: str, connection: str) -> tuple[XeroSecrets, datetime | None]:
    """Return Xero's part of the secrets in a file, or of those that the stack has, and when they were stored."""
    if file:
        # The operator's document has no buyer salt; nothing here uses one.
        secrets = parse(ConnectionSecrets, with_buyer_salt(read_document(file)), "the secrets")
        return secrets.xero, secrets.connected_at
    stored = stored_secret(secret_name(stack, connection)) if stack else {}
    if "xero" not in stored:
        raise SettingsError(
            'no credentials of Xero: name a file of them with SECRETS, or run make operate DO="connect xero" and name '
            "its STACK."
        )
    parsed = parse(XeroSecrets, json.dumps(stored["xero"]), "the stored secret's part xero")
    return parsed, datetime.fromisoformat(stored["connected_at"]) if "connected_at" in stored else None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="preflight", description="Check the settings against the organisation.")
    parser.add_argument("--settings", required=True, help="the settings document, JSON; docs/settings.md describes it")
    parser.add_argument("--secrets", default="", help="the secrets, JSON; without them, those of the stack")
    parser.add_argument("--stack", default="", help="the CloudFormation stack's name; needed for a refresh token")
    parser.add_argument("--connection", default="main", help="the connection's name (default: main)")
    parser.add_argument("--categories", default="", help="the file of SKUs and their categories, if there is one")
    parser.add_argument("--xero-api-url", help="instead of the one that the stack calls")
    parser.add_argument("--xero-token-url", help="instead of the one that the stack calls")
    given = parser.parse_args(arguments)
    try:
        document = read_document(given.settings)
        if given.categories:
            document = category_file(read_document(given.categories), given.categories, document).settings
        settings = parse(ConnectionSettings, document, "the settings")
        xero_secrets, connected_at = _xero_secrets(given.secrets, given.stack, given.connection)
        addresses = addresses_of(stack_outputs(given.stack) if given.stack else {})
        api_url, token_url = given.xero_api_url or addresses.xero_api, given.xero_token_url or addresses.xero_token
        tokens = access_tokens(xero_secrets, connected_at, given.stack, given.connection, token_url)
        lists = settings.policy().lists_to_read
        clock, tenant_id = SystemClock(), settings.xero.tenant_id
        xero = XeroAccounting(tokens, tenant_id, clock, redact, api_url=api_url, lists=lists)
        lines, fits = report(settings, xero.organisation())
    except SettingsError as problem:
        print(problem, file=sys.stderr)
        return 1
    except (XeroError, XeroGrantRefused) as problem:
        print(explain_xero(problem), file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as problem:
        print(explain_aws(problem), file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0 if fits else 1


if __name__ == "__main__":
    sys.exit(main())
