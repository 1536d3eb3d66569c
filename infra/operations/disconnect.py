"""Disconnect one connection: its subscriptions at Amazon, its settings and its secret. Rows and documents stay.

    python -m operations.disconnect --stack NAME --connection NAME [--yes]

The secret can be restored for 30 days, which `connect xero` does by itself, so that the buyer salt is kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from amazon_to_xero.adapters.amazon.notifications import AmazonNotifications
from amazon_to_xero.ports.amazon import AmazonError, AmazonNotAuthorised
from amazon_to_xero.runtime.settings import ConnectionSecrets, ConnectionSettings, SettingsError, parse
from operations.connect import STOCK_NOTIFICATION, SUBSCRIPTIONS, notifications_of, queue_destinations, stack_outputs
from operations.merchant_quantities import end_merchant_quantities
from operations.problems import explain_amazon, explain_aws
from operations.stack_addresses import addresses_of
from operations.subscription import end_subscription

RECOVERY_DAYS = 30  # Secrets Manager: at most 30


@dataclass(frozen=True)
class StoredConnection:
    """What is stored of a connection; None for what is not."""

    parameter: str
    secret: str
    settings: str | None
    secrets: str | None


def stored_connection(stack: str, connection: str) -> StoredConnection:
    """Return what is stored of a connection. Raises SettingsError if there is nothing."""
    name = f"{stack}/connections/{connection}"
    ssm, manager = boto3.client("ssm"), boto3.client("secretsmanager")
    try:
        settings = str(ssm.get_parameter(Name=f"/{name}")["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        settings = None
    try:
        secrets = str(manager.get_secret_value(SecretId=name)["SecretString"])
    except (manager.exceptions.ResourceNotFoundException, manager.exceptions.InvalidRequestException):
        secrets = None  # also one that is already marked for deletion
    if settings is None and secrets is None:
        raise SettingsError(f"the stack {stack} has no connection {connection}. Correct STACK or CONNECTION.")
    return StoredConnection(f"/{name}", name, settings, secrets)


def unsubscribe(
    stored: StoredConnection, outputs: Mapping[str, str], api_url: str | None, lwa_url: str | None
) -> list[str]:
    """End the seller's subscriptions to our stack, and delete each destination unless another seller uses it.

    outputs: of the stack. One of an earlier version lacks queues, and nothing was subscribed to them.

    Return what was done. Raises AmazonError, but not for credentials that Amazon refuses: those cannot end anything.
    """
    if stored.settings is None or stored.secrets is None:
        return ["the subscriptions at Amazon were left, because settings or secret are missing"]
    settings = parse(ConnectionSettings, stored.settings, "the stored settings")
    secrets = parse(ConnectionSecrets, stored.secrets, "the stored secret")
    notifications = notifications_of(settings, secrets, api_url, lwa_url)
    try:
        return list(_ended(notifications, outputs))
    except AmazonNotAuthorised as problem:
        return [f"the subscriptions at Amazon were left: {explain_amazon(problem)}"]


def _ended(notifications: AmazonNotifications, outputs: Mapping[str, str]) -> Iterator[str]:
    for kind, output in SUBSCRIPTIONS.items():
        if output in outputs:
            ours = {key for key, arn in queue_destinations(notifications).items() if arn == outputs[output]}
            yield from end_subscription(notifications, kind, ours)
    # Whatever the settings say now: they may have asked for it when the connection subscribed.
    if queue := outputs.get(SUBSCRIPTIONS[STOCK_NOTIFICATION]):
        yield from end_merchant_quantities(notifications, outputs, queue)


def delete_stored(stored: StoredConnection) -> list[str]:
    """Delete settings and secret; return what was done. The settings come first: the functions look for both."""
    done = []
    if stored.settings is not None:
        boto3.client("ssm").delete_parameter(Name=stored.parameter)
        done.append(f"deleted the settings {stored.parameter}")
    if stored.secrets is not None:
        manager: Any = boto3.client("secretsmanager")
        manager.delete_secret(SecretId=stored.secret, RecoveryWindowInDays=RECOVERY_DAYS)
        done.append(f"marked the secret {stored.secret} for deletion in {RECOVERY_DAYS} days; connect xero restores it")
    return done


def main(arguments: Sequence[str] | None = None, ask: Callable[[str], str] = input) -> int:
    parser = argparse.ArgumentParser(prog="disconnect", description="Disconnect one connection.")
    parser.add_argument("--stack", required=True, help="the CloudFormation stack's name")
    parser.add_argument("--connection", required=True, help="the connection's name")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--amazon-api-url", help="instead of the one that the stack calls")
    parser.add_argument("--lwa-url", help="instead of the one that the stack calls")
    given = parser.parse_args(arguments)
    try:
        outputs = stack_outputs(given.stack)
        stored = stored_connection(given.stack, given.connection)
        question = f"Disconnect {given.connection} of {given.stack}? Its orders will no longer be read. Type yes: "
        if not given.yes and ask(question).strip() != "yes":
            print("nothing was changed")
            return 1
        addresses = addresses_of(outputs)
        api_url, lwa_url = given.amazon_api_url or addresses.amazon_api, given.lwa_url or addresses.lwa
        for line in unsubscribe(stored, outputs, api_url, lwa_url):
            print(line)
        for line in delete_stored(stored):
            print(line)
    except EOFError:
        print("nothing was changed: nobody answered. Add YES=1 to disconnect without a question.", file=sys.stderr)
        return 1
    except SettingsError as problem:
        print(problem, file=sys.stderr)
        return 1
    except AmazonError as problem:
        print(f"settings and secret were left: {explain_amazon(problem)}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as problem:
        print(f"not disconnected: {explain_aws(problem)}", file=sys.stderr)
        return 1
    print(
        f"disconnected {given.connection}; functions stop within 5 minutes. Its rows stay in the table "
        f"{outputs['TableName']}, because they say which documents are ours. Documents in Xero stay as they are."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
