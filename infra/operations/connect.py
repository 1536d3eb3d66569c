"""Connect one Amazon account to one Xero organisation: check the settings, store them, subscribe to notifications.

    python -m operations.connect --stack NAME --connection NAME --settings FILE [--secrets FILE] [--categories FILE]

FILE may be `-` for standard input. Running it again replaces the stored settings and credentials; the buyer salt and an
existing subscription stay as they are. The secret states when it was stored (`connected_at`). Without `--secrets` the
stored credentials stay, which the operators' `connect xero` and `connect amazon` have checked and stored.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from amazon_to_xero.adapters.amazon.client import AmazonCredentials
from amazon_to_xero.adapters.amazon.notifications import AmazonNotifications
from amazon_to_xero.adapters.dynamodb.table import DynamoStateStore
from amazon_to_xero.domain.amazon.stock_statements import AVAILABILITY_CHANGES, MERCHANT_QUANTITY_CHANGE
from amazon_to_xero.ports.amazon import AmazonError
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.runtime.settings import ConnectionSecrets, ConnectionSettings, SettingsError, parse
from amazon_to_xero.services.stored_categories import store_categories
from operations.category_file import CategoryFile, category_file
from operations.connection_secret import store_secret, stored_secret, with_buyer_salt
from operations.merchant_quantities import OUTPUT, deployment_of, subscribe_merchant_quantities
from operations.problems import explain_amazon, explain_aws
from operations.stack_addresses import addresses_of
from operations.stored_settings import check_seller, stored_settings
from operations.subscription import begin_subscription

STOCK_NOTIFICATION = AVAILABILITY_CHANGES
# What Amazon notifies of, and the stack's output that names its queue.
SUBSCRIPTIONS = {
    "ORDER_CHANGE": "OrdersQueueArn",
    "TRANSACTION_UPDATE": "RefundsQueueArn",
    STOCK_NOTIFICATION: "InventoryAlertsQueueArn",
}


def secret_name(stack: str, connection: str) -> str:
    """Return the name of a connection's secret, as the functions look for it."""
    return f"{stack}/connections/{connection}"


def store_connection(
    stack: str, connection: str, settings: str, secrets: str
) -> tuple[ConnectionSettings, ConnectionSecrets]:
    """Store the secret (Secrets Manager), then the settings (SSM parameter), and return both as parsed.

    Raises SettingsError before anything is written. The secret comes first: the functions look for the secret of each
    connection whose settings are stored.
    """
    parsed_settings = parse(ConnectionSettings, settings, "the settings")
    parsed_secrets = store_secret(secret_name(stack, connection), secrets)
    store_settings(stack, connection, settings)
    return parsed_settings, parsed_secrets


def store_settings(stack: str, connection: str, settings: str) -> None:
    """Store the settings as the operator wrote them. They are valid, and the connection's secret is stored."""
    boto3.client("ssm").put_parameter(
        Name=f"/{stack}/connections/{connection}",
        Value=settings,
        Type="String",
        Tier="Intelligent-Tiering",
        Overwrite=True,
    )


def subscriptions_of(settings: ConnectionSettings) -> dict[str, str]:
    """Return what a connection subscribes to: to stock only where it has alerts, which need a role of their own."""
    has_alerts = settings.inventory.alerts
    return {kind: name for kind, name in SUBSCRIPTIONS.items() if has_alerts or kind != STOCK_NOTIFICATION}


def check_documents(settings: str, secrets: str) -> ConnectionSettings:
    """Return the settings. Raise SettingsError for documents that cannot be used, before AWS is asked for anything.

    secrets: empty where the stored ones are to stay.
    """
    try:
        parsed = parse(ConnectionSettings, settings, "the settings")
    except SettingsError:
        if _are_settings(secrets):
            raise SettingsError(
                "SECRETS names the settings. Name the secrets in SECRETS and the settings in SETTINGS."
            ) from None
        raise
    if secrets:
        parse(ConnectionSecrets, with_buyer_salt(secrets), "the secrets")
    return parsed


def _are_settings(document: str) -> bool:
    try:
        parse(ConnectionSettings, document, "the settings")
    except SettingsError:
        return False
    return True


def subscribe(
    settings: ConnectionSettings,
    secrets: ConnectionSecrets,
    notification_type: str,
    queue_arn: str,
    api_url: str | None = None,
    lwa_url: str | None = None,
) -> str:
    """Subscribe a queue to one of Amazon's types of notification and return the subscription's id.

    An existing destination or subscription for this queue is kept. Raises SettingsError if Amazon already sends the
    notifications to another destination.
    """
    notifications = notifications_of(settings, secrets, api_url, lwa_url)
    destinations = {arn: key for key, arn in queue_destinations(notifications).items()}
    destination = destinations.get(queue_arn) or notifications.create_destination(
        f"{queue_arn.rpartition(':')[2]}", queue_arn=queue_arn
    )
    return begin_subscription(notifications, notification_type, destination)


def queue_destinations(notifications: AmazonNotifications) -> dict[str, str | None]:
    """Return the id of every destination at Amazon -> ARN of its queue, None where it is no queue."""
    # Amazon has been seen to state a null for what a destination is not.
    return {
        each["destinationId"]: (each["resource"].get("sqs") or {}).get("arn")
        for each in notifications.get_destinations()
    }


def notifications_of(
    settings: ConnectionSettings, secrets: ConnectionSecrets, api_url: str | None = None, lwa_url: str | None = None
) -> AmazonNotifications:
    """Return Amazon's notifications as the connection's credentials reach them."""
    amazon = secrets.amazon
    credentials = AmazonCredentials(amazon.client_id, amazon.client_secret, amazon.refresh_token)
    return AmazonNotifications(credentials, settings.amazon.region, api_url=api_url, lwa_url=lwa_url)


def stack_outputs(stack: str) -> dict[str, str]:
    """Return the outputs of a deployed stack, by name. Raises SettingsError if there is no such stack."""
    cloudformation: Any = boto3.client("cloudformation")
    try:
        described = cloudformation.describe_stacks(StackName=stack)
    except ClientError as problem:
        if "does not exist" not in problem.response["Error"].get("Message", ""):
            raise
        raise SettingsError(
            f"there is no stack {stack} in this account in {cloudformation.meta.region_name}. "
            "Run make deploy first, or correct STACK, AWS_PROFILE or AWS_REGION."
        ) from None
    return {output["OutputKey"]: output["OutputValue"] for output in described["Stacks"][0].get("Outputs", [])}


def state_store(outputs: Mapping[str, str], connection: str) -> StateStore:
    """Return the rows of a connection in a deployed stack."""
    return DynamoStateStore(outputs["TableName"], connection, boto3.session.Session().region_name)


def read_document(file: str) -> str:
    """Return the text of a file, or of standard input for `-`. Raises SettingsError if it cannot be read."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as problem:
        raise SettingsError(f"{file or 'a file without a name'} cannot be read: {problem}") from None


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="connect", description="Connect one Amazon account to one Xero organisation.")
    parser.add_argument("--stack", required=True, help="the CloudFormation stack's name")
    parser.add_argument("--connection", default="main", help="a name for this connection (default: main)")
    parser.add_argument("--settings", required=True, help="the settings document, JSON; docs/settings.md describes it")
    parser.add_argument("--secrets", default="", help="the secrets, JSON; without them, those stored stay")
    parser.add_argument("--categories", default="", help="a file of SKUs and their categories; see docs/settings.md")
    parser.add_argument("--amazon-api-url", help="instead of the one that the stack calls")
    parser.add_argument("--lwa-url", help="instead of the one that the stack calls")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    given = _arguments(arguments)
    try:
        document, file = settings_document(given.settings, given.categories)
        secrets = read_document(given.secrets) if given.secrets else ""
        checked = check_documents(document, secrets)
        outputs = stack_outputs(given.stack)
        check_outputs(given.stack, outputs, checked)
        check_seller(given.connection, checked, stored_settings(boto3.client("ssm"), f"/{given.stack}/connections"))
        addresses = addresses_of(outputs)
        if file:
            store_file(file, outputs, given.connection)
        stored = _stored(given.stack, given.connection, document, secrets)
    except SettingsError as problem:
        print(problem, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as problem:
        print(f"the connection was not stored: {explain_aws(problem)}", file=sys.stderr)
        return 1
    api_url, lwa_url = given.amazon_api_url or addresses.amazon_api, given.lwa_url or addresses.lwa
    subscriptions = list(subscribe_all(*stored, given.stack, outputs, api_url, lwa_url))
    for each in subscriptions:
        print(each.text, file=sys.stdout if each.is_made else sys.stderr)
    if not all(each.is_made for each in subscriptions):
        return 1
    print(f"connected {given.connection}")
    return 0


def _stored(stack: str, connection: str, settings: str, secrets: str) -> tuple[ConnectionSettings, ConnectionSecrets]:
    """Store what is given; without secrets, the stored ones stay as they are."""
    if secrets:
        return store_connection(stack, connection, settings, secrets)
    name = secret_name(stack, connection)
    document = stored_secret(name)
    if missing := [side for side in ("xero", "amazon") if side not in document]:
        commands = " and ".join(f'make operate DO="connect {side}"' for side in missing)
        raise SettingsError(f"the secret {name} lacks the part {missing[0]}. Run {commands}, or name SECRETS.")
    parsed = parse(ConnectionSecrets, json.dumps(document), f"the secret {name}")
    store_settings(stack, connection, settings)
    return parse(ConnectionSettings, settings, "the settings"), parsed


def settings_document(settings: str, categories: str) -> tuple[str, CategoryFile | None]:
    """Return the settings in a file as they are to be stored, and the categories if a file of them is named."""
    document = read_document(settings)
    if not categories:
        return document, None
    file = category_file(read_document(categories), categories, document)
    return file.settings, file


def check_outputs(stack: str, outputs: Mapping[str, str], settings: ConnectionSettings) -> None:
    """Raise SettingsError for a stack of an earlier version, which lacks a queue that Amazon is to send to."""
    if missing := [name for name in subscriptions_of(settings).values() if name not in outputs]:
        raise SettingsError(f"the stack {stack} has no output {', '.join(missing)}. Run make deploy first.")


def store_file(file: CategoryFile, outputs: Mapping[str, str], connection: str) -> None:
    """Store the content of the file. Raises AWS's own error, or SettingsError where DynamoDB gives none."""
    try:
        store_categories(state_store(outputs, connection), file.compressed)
    except PynamoDBException as problem:
        if isinstance(problem.cause, (BotoCoreError, ClientError)):
            raise problem.cause from None
        raise SettingsError(f"the categories cannot be stored: {problem}") from None


@dataclass(frozen=True)
class Subscribed:
    """What became of having Amazon send one type of notification.

    is_made: False where Amazon refused, and a person is needed.
    """

    text: str
    is_made: bool = True


def subscribe_all(
    settings: ConnectionSettings,
    secrets: ConnectionSecrets,
    stack: str,
    outputs: Mapping[str, str],
    api_url: str | None = None,
    lwa_url: str | None = None,
) -> Iterator[Subscribed]:
    """Have Amazon send what a stored connection needs, each type for itself: one that is refused leaves the others."""
    for kind, output in subscriptions_of(settings).items():
        queue = outputs[output]
        try:
            subscription = subscribe(settings, secrets, kind, queue, api_url, lwa_url)
        except (SettingsError, AmazonError) as problem:
            yield _not_subscribed(problem)
        else:
            yield Subscribed(f"Amazon sends {kind} to {queue} (subscription {subscription})")
    if settings.inventory.merchant_quantities:
        yield from _merchant_quantities(notifications_of(settings, secrets, api_url, lwa_url), stack, outputs)
    if not settings.inventory.alerts:
        yield Subscribed("inventory.alerts is not set: nobody will hear of stock")


def _merchant_quantities(
    notifications: AmazonNotifications, stack: str, outputs: Mapping[str, str]
) -> Iterator[Subscribed]:
    """Subscribe to the seller's own stock."""
    try:
        destination = subscribe_merchant_quantities(notifications, outputs[SUBSCRIPTIONS[STOCK_NOTIFICATION]])
    except (SettingsError, AmazonError) as problem:
        yield _not_subscribed(problem)
        return
    yield Subscribed(f"Amazon sends {MERCHANT_QUANTITY_CHANGE} to the partner event source {destination.source}")
    if outputs.get(OUTPUT) != destination.source:
        command = deployment_of(stack, destination.source)
        yield Subscribed(f"the stack does not take its events yet. Run {command}")


def _not_subscribed(problem: SettingsError | AmazonError) -> Subscribed:
    reason = explain_amazon(problem) if isinstance(problem, AmazonError) else str(problem)
    return Subscribed(f"stored, but not subscribed: {reason}", is_made=False)


if __name__ == "__main__":
    sys.exit(main())
