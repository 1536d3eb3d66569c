"""Everything at once: the local cloud with the real template, both sandboxes, a seller connected to an organisation."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from amazon_to_xero.adapters.dynamodb.table import DynamoStateStore
from local.cloud import REGION, ROOT, LocalCloud
from local.sandboxes import Sandbox, sandbox
from operations import connect
from sandbox.amazon import OWN_SELLER, Credentials, Seller
from sandbox.xero import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET

STACK = "amazon-to-xero"
CONNECTION = "main"
SETTINGS = Path(__file__).resolve().parent / "connection.json"


@dataclass(frozen=True)
class Stack:
    """The deployed system with the world around it."""

    cloud: LocalCloud
    amazon: Sandbox
    xero: Sandbox
    outputs: dict[str, str]
    store: DynamoStateStore
    order_ids: tuple[str, ...]  # of the seller folder, oldest first
    stops: tuple[str, ...] = ()  # of the seller folder, oldest first

    def calls(self) -> list[dict[str, Any]]:
        """Every request to Amazon and Xero so far, in order of time."""
        both = [*self.amazon.ask("GET", "calls"), *self.xero.ask("GET", "calls")]
        return sorted(both, key=lambda call: str(call["at"]))

    def busy(self) -> str:
        """What is still going on; empty when nothing is, apart from work that waits for a time over two minutes off."""
        for queue in ("Orders", "Shipments"):
            depth = self.cloud.queue_depth(self.outputs[f"{queue}QueueUrl"])
            if depth.total:
                return f"{depth.total} messages in the {queue.lower()} queue"
        soon = datetime.now(UTC) + timedelta(minutes=2)
        due = {
            "orders to read": self.store.due(ORDERS, soon, 2000),
            "orders to book": self.store.due(SHIPMENTS, soon, 2000),
            "documents to post": self.store.due(DOCUMENTS, soon, 2000),
        }
        return ", ".join(f"{len(waiting)} {what}" for what, waiting in due.items() if waiting)

    def play(self, seconds: float) -> str:
        """Lets the seller's history happen, and everything come to rest at each stop and at the end.

        Returns what was still going on when a rest had taken `seconds`, else ''.
        """
        unfinished = []
        for until in (*self.stops, None):
            self.amazon.ask("POST", "play", {"until": until} if until else {})
            unfinished.append(self.wait_until_quiet(seconds))
        return "; ".join(filter(None, unfinished))

    def wait_until_quiet(self, seconds: float) -> str:
        """Waits until nothing has been going on for three looks; returns what still was after `seconds`, else ''."""
        end, quiet, last = time.monotonic() + seconds, 0, -1
        while time.monotonic() < end:
            busy, calls = self.busy(), len(self.calls())
            quiet = quiet + 1 if not busy and calls == last else 0
            last = calls
            if quiet == 3:
                return ""
            time.sleep(0.5)
        return self.busy() or "calls to Amazon or Xero"


@contextlib.contextmanager
def deployed(directory: Path, seller: Path = OWN_SELLER, **settings: Any) -> Iterator[Stack]:
    """Builds and deploys the real template beside the sandboxes and connects the seller; nothing is played yet.

    `settings` replace top-level parts of the default connection settings. Raises local.cloud.StepFailed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as running:
        cloud = running.enter_context(LocalCloud(directory))
        xero = running.enter_context(sandbox("xero", log=directory / "xero.log"))
        amazon = running.enter_context(
            sandbox("amazon", "--seller", str(seller), "--aws-endpoint", cloud.endpoint, log=directory / "amazon.log")
        )
        outputs = cloud.deploy(
            STACK,
            AmazonApiUrl=amazon.url,
            LwaUrl=f"{amazon.url}/auth/o2/token",
            XeroApiUrl=xero.url,
            XeroTokenUrl=f"{xero.url}/connect/token",
        )
        organisation = xero.ask("GET", "books")["Organisations"][0]
        document = json.loads(SETTINGS.read_text(encoding="utf-8")) | settings
        document["xero"] = {"tenant_id": organisation["OrganisationID"]}
        loaded = Seller.load(seller)
        if loaded.seller_id:
            document["amazon"] |= {"seller_id": loaded.seller_id}
        amazon_secret = Credentials()
        secrets = {
            "amazon": {
                "client_id": amazon_secret.client_id,
                "client_secret": amazon_secret.client_secret,
                "refresh_token": amazon_secret.refresh_token,
            },
            "xero": {"client_id": DEFAULT_CLIENT_ID, "client_secret": DEFAULT_CLIENT_SECRET},
        }
        settings_text, secrets_text = json.dumps(document), json.dumps(secrets)
        connect.store(STACK, CONNECTION, settings_text, secrets_text)
        connect.subscribe(
            settings_text, secrets_text, outputs["OrdersQueueArn"], amazon.url, f"{amazon.url}/auth/o2/token"
        )
        store = DynamoStateStore(outputs["TableName"], CONNECTION, REGION, cloud.endpoint)
        ids = dict.fromkeys(version.key for version in loaded.history() if version.kind == "order")
        yield Stack(cloud, amazon, xero, outputs, store, tuple(ids), stops_of(seller))


def stops_of(seller: Path) -> tuple[str, ...]:
    """The moments at which a seller's history waits for the books; none where the folder does not say."""
    stops = seller / "stops.txt"
    return tuple(stops.read_text(encoding="utf-8").split()) if stops.is_file() else ()


def seller_folder(text: str) -> Path:
    """The folder a person named, wherever `make` was called from; raises NotADirectoryError that names it."""
    folder = Path(text).expanduser()
    folder = folder if folder.is_absolute() else ROOT / folder
    if not folder.is_dir():
        raise NotADirectoryError(f"the seller folder {folder} does not exist; it should hold orders.jsonl")
    return folder.resolve()
