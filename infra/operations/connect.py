"""Ties one Amazon account to one Xero organisation: checks the settings, stores them, subscribes to Amazon.

    python -m operations.connect --stack NAME --connection NAME --settings FILE --secrets FILE

FILE may be `-` for standard input. Safe to run again: what is there already is kept or replaced.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.notifications import AmazonNotifications
from amazon_to_xero.ports.amazon import AmazonError
from amazon_to_xero.runtime.settings import ConnectionSecrets, ConnectionSettings, SettingsError, parse

ORDER_CHANGE = "ORDER_CHANGE"


def store(stack: str, connection: str, settings: str, secrets: str) -> None:
    """Stores settings (SSM parameter) and secrets (Secrets Manager); SettingsError before anything is written."""
    parse(ConnectionSettings, settings, "the settings")
    parse(ConnectionSecrets, secrets, "the secrets")
    boto3.client("ssm").put_parameter(
        Name=f"/{stack}/connections/{connection}",
        Value=settings,
        Type="String",
        Tier="Intelligent-Tiering",
        Overwrite=True,
    )
    manager = boto3.client("secretsmanager")
    name = f"{stack}/connections/{connection}"
    try:
        manager.create_secret(Name=name, SecretString=secrets)
    except manager.exceptions.ResourceExistsException:
        manager.put_secret_value(SecretId=name, SecretString=secrets)


def subscribe(settings: str, secrets: str, queue_arn: str, api_url: str | None, lwa_url: str | None) -> str:
    """Has Amazon send ORDER_CHANGE to the orders queue; returns the subscription's id. Keeps what is there already."""
    connection = parse(ConnectionSettings, settings, "the settings")
    secret = parse(ConnectionSecrets, secrets, "the secrets").amazon
    notifications = AmazonNotifications(
        AmazonCredentials(secret.client_id, secret.client_secret, secret.refresh_token),
        connection.amazon.region,
        api_url=api_url,
        lwa_url=lwa_url,
    )
    destinations = {
        d["resource"].get("sqs", {}).get("arn"): d["destinationId"] for d in notifications.get_destinations()
    }
    destination = destinations.get(queue_arn) or notifications.create_destination(
        f"{queue_arn.rpartition(':')[2]}", queue_arn=queue_arn
    )
    existing = notifications.get_subscription(ORDER_CHANGE)
    if existing is None:
        return notifications.create_subscription(ORDER_CHANGE, destination)
    if existing.get("destinationId") != destination:
        raise SettingsError(
            f"Amazon already sends {ORDER_CHANGE} of this seller to another destination, "
            f"{existing.get('destinationId')}; delete that subscription first"
        )
    return str(existing["subscriptionId"])


def outputs(stack: str) -> dict[str, str]:
    """The stack's outputs by name."""
    described: Any = boto3.client("cloudformation").describe_stacks(StackName=stack)
    return {output["OutputKey"]: output["OutputValue"] for output in described["Stacks"][0]["Outputs"]}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="connect", description="Tie one Amazon account to one Xero organisation.")
    parser.add_argument("--stack", required=True, help="the CloudFormation stack's name")
    parser.add_argument("--connection", default="main", help="a name for this pair (default: main)")
    parser.add_argument("--settings", required=True, help="the settings document, JSON; README shows one")
    parser.add_argument("--secrets", required=True, help="the secrets document, JSON; delete the file afterwards")
    parser.add_argument("--amazon-api-url", help="instead of Amazon's own")
    parser.add_argument("--lwa-url", help="instead of Login with Amazon's own")
    given = parser.parse_args(arguments)
    settings, secrets = text_of(given.settings), text_of(given.secrets)
    try:
        store(given.stack, given.connection, settings, secrets)
    except SettingsError as problem:
        print(problem, file=sys.stderr)
        return 1
    queue = outputs(given.stack)["OrdersQueueArn"]
    try:
        subscription = subscribe(settings, secrets, queue, given.amazon_api_url, given.lwa_url)
    except (SettingsError, AmazonError) as problem:
        print(f"stored, but not subscribed: {problem}", file=sys.stderr)
        return 1
    print(f"connected {given.connection}: Amazon sends ORDER_CHANGE to {queue} (subscription {subscription})")
    return 0


def text_of(file: str) -> str:
    return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
