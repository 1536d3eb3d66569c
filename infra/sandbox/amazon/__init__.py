"""The sandbox Amazon: a seller account behind the Selling Partner API, for tests, simulation and a local run."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from sandbox.amazon.login import Credentials
from sandbox.amazon.seller import Seller, SellerDataError
from sandbox.amazon.service import AmazonSandbox
from sandbox.wire import SandboxClock, SandboxService

__all__ = ["OWN_SELLER", "AmazonSandbox", "Credentials", "Seller", "SellerDataError", "add_arguments", "build"]

OWN_SELLER = Path(__file__).resolve().parent.parent / "seller"


def add_arguments(parser: ArgumentParser) -> None:
    """The sandbox Amazon's options on the server's command line."""
    default = Credentials()
    parser.add_argument("--seller", type=Path, default=OWN_SELLER, help="seller folder (default: %(default)s)")
    parser.add_argument("--present", action="store_true", help="the whole history has happened already, unnotified")
    parser.add_argument("--aws-endpoint", help="where notifications go: the SQS endpoint (default: AWS itself)")
    parser.add_argument("--region", default="eu-west-1", help="AWS region of the queues (default: %(default)s)")
    parser.add_argument("--lwa-client-id", default=default.client_id, help="(default: %(default)s)")
    parser.add_argument("--lwa-client-secret", default=default.client_secret, help="(default: %(default)s)")
    parser.add_argument("--lwa-refresh-token", default=default.refresh_token, help="(default: %(default)s)")


def build(arguments: Namespace) -> SandboxService:
    """The service as the server runs it; AWS credentials come from the environment.

    Raises SellerDataError or FileNotFoundError for a seller folder that cannot be read.
    """
    # Imported here: the simulation builds sandboxes by the thousand and never sends to a queue.
    import boto3  # noqa: PLC0415

    from sandbox.amazon.queues import QueueSender  # noqa: PLC0415

    sender = QueueSender(boto3.client("sqs", endpoint_url=arguments.aws_endpoint, region_name=arguments.region))
    return AmazonSandbox(
        SandboxClock(),
        Seller.load(arguments.seller),
        sender.send,
        publish_many=sender.send_many,
        present=arguments.present,
        credentials=Credentials(arguments.lwa_client_id, arguments.lwa_client_secret, arguments.lwa_refresh_token),
    )
