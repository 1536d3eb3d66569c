"""What is checked while a world runs: no notice is lost, no message is acknowledged too early, no buyer data leaks."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from amazon_to_xero.adapters.dynamodb.rows import Row
from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.ports.state import Conflict
from amazon_to_xero.runtime.handlers import WorkFailed
from simulation.application import QueueBusy
from simulation.culprits import REFUSED_BY_AMAZON
from simulation.queues import Message
from simulation.table import TableBusy

if TYPE_CHECKING:
    from simulation.world import World

# Parts of every fictitious buyer; none may occur in rows, in our own messages or in the log.
CANARIES = ("canary", "cn1 1nc", "0000 000000")
MAX_VIOLATIONS = 20


class Watch:
    """Collects the violations of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.violations: list[str] = []
        self._read: dict[str, tuple[Row, Any]] = {}  # each order's newest row, with its data

    def violated(self, what: str) -> None:
        if len(self.violations) < MAX_VIOLATIONS:
            self.violations.append(what)
        self._world.log("VIOLATION", what)

    def check_for_buyer_data(self, where: str, text: str) -> None:
        lowered = text.lower()
        if any(canary in lowered for canary in CANARIES):
            self.violated(f"buyer data in {where}")

    def row_written(self, held: Row | None, row: Row) -> None:
        """A notice is never forgotten: an order stops being due only once Amazon was read after it.

        Nor is an order that was read and not planned: it is due until it is.
        """
        if not row.sk.startswith("ORDER#"):
            return
        if row.state in (OrderState.NOTICED, OrderState.RECORDED) and not row.next_attempt_at:
            self.violated(f"{row.sk} is {row.state} and not due")
        known = self._read.get(row.sk)
        self._read[row.sk] = row, json.loads(row.data)
        if held is None:
            return
        before = known[1] if known and known[0] is held else json.loads(held.data)
        after = self._read[row.sk][1]
        if (after["noticed_at"] or "") < (before["noticed_at"] or ""):
            self.violated(f"{row.sk}: the notice of {before['noticed_at']} was overwritten")
        is_unanswered = after["noticed_at"] and (after["read_at"] or "") < after["noticed_at"]
        is_refused = row.state == OrderState.FAILED and self._is_refused_by_amazon(row)
        if not row.next_attempt_at and is_unanswered and not is_refused:
            self.violated(f"{row.sk}: no longer due, read {after['read_at']}, noticed {after['noticed_at']}")

    def _is_refused_by_amazon(self, row: Row) -> bool:
        """Whether Amazon does not return an order: never, or not yet although it has shown a refund of it."""
        order_id = row.sk.removeprefix("ORDER#")
        is_early = row.reason == "ORDER_NOT_FOUND" and self._world.transactions.may_be_unknown(order_id)
        return is_early or self._world.culprits.of(order_id) in REFUSED_BY_AMAZON

    def message_acknowledged(self, capability: str, message: Message) -> None:
        """A message that SQS may forget has left its notice behind."""
        try:
            document = json.loads(message.body)
        except ValueError:
            letters = self._world.dead_letters[capability].ever
            if not any(each.body == message.body for each in letters):
                self.violated(f"an unusable message was acknowledged without a dead letter: {message.message_id}")
            return
        if capability not in (ORDERS, SHIPMENTS):
            return
        if "correct" in document:
            self._correction_is_kept(capability, document["correct"])
            return
        if "reprocess" in document:
            source, at = document["reprocess"]["source"], None
            if source.startswith("day#"):
                return  # a day that has failed is stored; whether it was planned again shows at rest
            order_id = source.removeprefix("order#")
        elif capability == SHIPMENTS:
            order_id, at = document["detail"]["order_id"], datetime.fromisoformat(document["detail"]["updated"])
        else:
            order_id = document["Payload"]["OrderChangeNotification"]["AmazonOrderId"]
            at = datetime.fromisoformat(document["EventTime"])
        row = self._world.table.rows.get(f"ORDER#{order_id}")
        if row is None:
            self.violated(f"order {order_id}: its message was acknowledged and nothing of it is stored")
        elif self._is_refused_by_amazon(row) and row.state == OrderState.FAILED:
            return
        elif not row.next_attempt_at and at is not None and order_id not in self._world.stale:
            held = json.loads(row.data)["version"]
            if not held or datetime.fromisoformat(held) < at:
                self.violated(f"order {order_id}: its message was acknowledged and it is not due to be read")

    def _correction_is_kept(self, capability: str, correction: Mapping[str, str]) -> None:
        """A correction is entered in its row, or is a dead letter."""
        row = self._world.table.rows.get(f"CORRECTION#{correction['source']}")
        is_entered = row is not None and correction["id"] in row.data
        if not is_entered and not any(
            correction["id"] in each.body for each in self._world.dead_letters[capability].ever
        ):
            self.violated(f"{correction['source']}: correction {correction['id']} was acknowledged and is nowhere")

    def invocation_raised(self, who: str, problem: Exception) -> None:
        """Errors of the table and of queues may end an invocation; nothing else may."""
        if isinstance(problem, WorkFailed):
            types = {failure.split()[1] for failure in str(problem).split("; ")}
            is_expected = types <= {"TableBusy", "QueueBusy", "Conflict"}
        else:
            is_expected = isinstance(problem, TableBusy | QueueBusy | Conflict)
        if not is_expected:
            where = "".join(traceback.format_exception(problem)[-3:])
            self.violated(f"{who} ended with {type(problem).__name__}: {problem}\n{where}")
