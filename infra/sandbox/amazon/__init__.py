"""A local stand-in for Amazon: one seller account behind the Selling Partner API.

`python -m sandbox.server --service amazon` serves it; `AmazonSandbox(…).handle(request)` calls it in-process.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from sandbox.amazon.login import Credentials
from sandbox.amazon.seller import Seller
from sandbox.amazon.service import AmazonSandbox
from sandbox.amazon.versions import SellerDataError
from sandbox.wire import SandboxClock

__all__ = ["OWN_SELLER", "AmazonSandbox", "Credentials", "Seller", "SellerDataError", "add_arguments", "build"]

OWN_SELLER = Path(__file__).resolve().parent.parent / "seller"


def add_arguments(parser: ArgumentParser) -> None:
    """Add Amazon's own options to the server's command line."""
    default = Credentials()
    parser.add_argument("--seller", type=Path, default=OWN_SELLER, help="seller folder (default: %(default)s)")
    parser.add_argument(
        "--present", action="store_true", help="apply the whole history at start, without notifications"
    )
    parser.add_argument("--aws-endpoint", help="SQS and EventBridge endpoint for notifications (default: AWS itself)")
    parser.add_argument("--region", default="eu-west-1", help="AWS region of the queues (default: %(default)s)")
    parser.add_argument("--lwa-client-id", default=default.client_id, help="(default: %(default)s)")
    parser.add_argument("--lwa-client-secret", default=default.client_secret, help="(default: %(default)s)")
    parser.add_argument("--lwa-refresh-token", default=default.refresh_token, help="(default: %(default)s)")


def build(namespace: Namespace) -> AmazonSandbox:
    """Return the service for the parsed command line. AWS credentials are taken from the environment.

    Raise SellerDataError or FileNotFoundError for an invalid or missing seller folder.
    """
    # Imported here, because the simulation never sends to a queue and need not load boto3.
    import boto3  # noqa: PLC0415

    from sandbox.amazon.queues import EventSender, QueueSender  # noqa: PLC0415

    events = EventSender(boto3.client("events", endpoint_url=namespace.aws_endpoint, region_name=namespace.region))
    sender = QueueSender(boto3.client("sqs", endpoint_url=namespace.aws_endpoint, region_name=namespace.region))
    return AmazonSandbox(
        SandboxClock(),
        Seller.load(namespace.seller),
        sender.send,
        publish_many=sender.send_many,
        publish_event=events.send,
        present=namespace.present,
        credentials=Credentials(namespace.lwa_client_id, namespace.lwa_client_secret, namespace.lwa_refresh_token),
    )
