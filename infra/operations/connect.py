"""Connect one Amazon account to one Xero organisation: check the settings, store them, subscribe to notifications.

    python -m operations.connect --stack NAME --connection NAME --settings FILE --secrets FILE [--categories FILE]

FILE may be `-` for standard input. Running it again replaces the stored settings and credentials; the buyer salt and an
existing subscription stay as they are. The secret states when it was stored (`connected_at`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
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
from operations.merchant_quantities import OUTPUT, deployment_of, subscribe_merchant_quantities
from operations.problems import explain_amazon, explain_aws
from operations.subscription import begin_subscription

STOCK_NOTIFICATION = AVAILABILITY_CHANGES
# What Amazon notifies of, and the stack's output that names its queue.
SUBSCRIPTIONS = {
    "ORDER_CHANGE": "OrdersQueueArn",
    "TRANSACTION_UPDATE": "RefundsQueueArn",
    STOCK_NOTIFICATION: "InventoryAlertsQueueArn",
}


def store_connection(
    stack: str, connection: str, settings: str, secrets: str
) -> tuple[ConnectionSettings, ConnectionSecrets]:
    """Store the secret (Secrets Manager), then the settings (SSM parameter), and return both as parsed.

    Raises SettingsError before anything is written. The secret comes first: the functions look for the secret of each
    connection whose settings are stored.
    """
    parsed_settings = parse(ConnectionSettings, settings, "the settings")
    parsed_secrets = store_secret(f"{stack}/connections/{connection}", secrets)
    boto3.client("ssm").put_parameter(
        Name=f"/{stack}/connections/{connection}",
        Value=settings,
        Type="String",
        Tier="Intelligent-Tiering",
        Overwrite=True,
    )
    return parsed_settings, parsed_secrets


def store_secret(name: str, secrets: str) -> ConnectionSecrets:
    """Create or replace the secret of that name; the buyer salt of an existing one is kept.

    Raises SettingsError before anything is written.
    """
    manager = boto3.client("secretsmanager")
    stored = _stored_secret(manager, name)
    if stored is None:
        document = _stamped(with_buyer_salt(secrets))
        parsed = parse(ConnectionSecrets, document, "the secrets")
        try:
            manager.create_secret(Name=name, SecretString=document)
            return parsed
        except manager.exceptions.ResourceExistsException:  # a concurrent connect created it: keep its salt
            stored = _stored_secret(manager, name)
    document = _stamped(with_buyer_salt(secrets, _buyer_salt(stored, name)))
    parsed = parse(ConnectionSecrets, document, "the secrets")
    manager.put_secret_value(SecretId=name, SecretString=document)
    return parsed


def subscriptions_of(settings: ConnectionSettings) -> dict[str, str]:
    """Return what a connection subscribes to: to stock only where it has alerts, which need a role of their own."""
    has_alerts = settings.inventory.alerts
    return {kind: name for kind, name in SUBSCRIPTIONS.items() if has_alerts or kind != STOCK_NOTIFICATION}


def check_documents(settings: str, secrets: str) -> ConnectionSettings:
    """Return the settings. Raise SettingsError for documents that cannot be used, before AWS is asked for anything."""
    try:
        parsed = parse(ConnectionSettings, settings, "the settings")
    except SettingsError:
        if _are_settings(secrets):
            raise SettingsError(
                "SECRETS names the settings. Name the secrets in SECRETS and the settings in SETTINGS."
            ) from None
        raise
    parse(ConnectionSecrets, with_buyer_salt(secrets), "the secrets")
    return parsed


def _are_settings(document: str) -> bool:
    try:
        parse(ConnectionSettings, document, "the settings")
    except SettingsError:
        return False
    return True


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
    parser.add_argument("--secrets", required=True, help="the secrets document, JSON; delete the file afterwards")
    parser.add_argument("--categories", default="", help="a file of SKUs and their categories; see docs/settings.md")
    parser.add_argument("--amazon-api-url", help="instead of Amazon's own")
    parser.add_argument("--lwa-url", help="instead of Login with Amazon's own")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    given = _arguments(arguments)
    try:
        documents = read_document(given.settings), read_document(given.secrets)
        file = None
        if given.categories:
            file = category_file(read_document(given.categories), given.categories, documents[0])
            documents = file.settings, documents[1]
        subscriptions = subscriptions_of(check_documents(*documents))
        outputs = stack_outputs(given.stack)
        if missing := [name for name in subscriptions.values() if name not in outputs]:
            raise SettingsError(f"the stack {given.stack} has no output {', '.join(missing)}. Run make deploy first.")
        queues = {kind: outputs[name] for kind, name in subscriptions.items()}
        if file:
            _store_file(file, outputs, given.connection)
        settings, secrets = store_connection(given.stack, given.connection, *documents)
    except SettingsError as problem:
        print(problem, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as problem:
        print(f"the connection was not stored: {explain_aws(problem)}", file=sys.stderr)
        return 1
    # Each type for itself: an application without the role for transactions is notified of orders nevertheless.
    subscribed = [
        _is_subscribed(settings, secrets, kind, queue, given.amazon_api_url, given.lwa_url)
        for kind, queue in queues.items()
    ]
    if settings.inventory.merchant_quantities:
        notifications = notifications_of(settings, secrets, given.amazon_api_url, given.lwa_url)
        subscribed.append(_has_merchant_quantities(notifications, given.stack, outputs))
    if not all(subscribed):
        return 1
    if STOCK_NOTIFICATION not in queues:
        print("inventory.alerts is not set: nobody will hear of stock")
    print(f"connected {given.connection}")
    return 0


def _store_file(file: CategoryFile, outputs: Mapping[str, str], connection: str) -> None:
    """Store the content of the file. Raises AWS's own error, or SettingsError where DynamoDB gives none."""
    try:
        store_categories(state_store(outputs, connection), file.compressed)
    except PynamoDBException as problem:
        if isinstance(problem.cause, (BotoCoreError, ClientError)):
            raise problem.cause from None
        raise SettingsError(f"the categories cannot be stored: {problem}") from None


def _is_subscribed(
    settings: ConnectionSettings,
    secrets: ConnectionSecrets,
    notification_type: str,
    queue: str,
    api_url: str | None,
    lwa_url: str | None,
) -> bool:
    """Subscribe a queue and print what became of it; return whether Amazon sends to it."""
    try:
        subscription = subscribe(settings, secrets, notification_type, queue, api_url, lwa_url)
    except SettingsError as problem:
        print(f"stored, but not subscribed: {problem}", file=sys.stderr)
        return False
    except AmazonError as problem:
        print(f"stored, but not subscribed: {explain_amazon(problem)}", file=sys.stderr)
        return False
    print(f"Amazon sends {notification_type} to {queue} (subscription {subscription})")
    return True


def _has_merchant_quantities(notifications: AmazonNotifications, stack: str, outputs: Mapping[str, str]) -> bool:
    """Subscribe to the seller's own stock and print what became of it; return whether Amazon sends it."""
    try:
        destination = subscribe_merchant_quantities(notifications, outputs[SUBSCRIPTIONS[STOCK_NOTIFICATION]])
    except SettingsError as problem:
        print(f"stored, but not subscribed: {problem}", file=sys.stderr)
        return False
    except AmazonError as problem:
        print(f"stored, but not subscribed: {explain_amazon(problem)}", file=sys.stderr)
        return False
    print(f"Amazon sends {MERCHANT_QUANTITY_CHANGE} to the partner event source {destination.source}")
    if outputs.get(OUTPUT) != destination.source:
        print(f"the stack does not take its events yet. Run {deployment_of(stack, destination.source)}")
    return True


def _stamped(secrets: str) -> str:
    """Return the secrets document with the time of this connect; text that is no JSON object unchanged."""
    try:
        document = json.loads(secrets)
    except ValueError:
        return secrets
    if not isinstance(document, dict):
        return secrets
    return json.dumps(document | {"connected_at": datetime.now(UTC).isoformat()})


def _stored_secret(manager: Any, name: str) -> str | None:
    """Return the stored secret, None if there is none. One that `make disconnect` marked for deletion is restored."""
    try:
        return str(manager.get_secret_value(SecretId=name)["SecretString"])
    except manager.exceptions.ResourceNotFoundException:
        return None
    except manager.exceptions.InvalidRequestException:
        manager.restore_secret(SecretId=name)
        return str(manager.get_secret_value(SecretId=name)["SecretString"])


def _buyer_salt(stored: str | None, name: str) -> str:
    """Return the salt in a stored secret, empty if it has none."""
    try:
        document = json.loads(stored or "{}")
        return str(document.get("buyer_salt") or "")
    except (ValueError, AttributeError):
        raise SettingsError(
            f"the stored secret {name} is not a JSON object, so its buyer salt is unknown. "
            "Restore an earlier version of the secret, or delete it if no buyer has a contact yet."
        ) from None


if __name__ == "__main__":
    sys.exit(main())
