"""The handler of the replay function: dead letters that a queue delivers, or one step that an operator asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSEvent, SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from amazon_to_xero.adapters.aws.replay_queues import dead_letter
from amazon_to_xero.domain.backfill.period import BackfillRefused
from amazon_to_xero.domain.replay.record import ReplayAction
from amazon_to_xero.ports.replay import DeadLetter
from amazon_to_xero.ports.state import StateStore
from amazon_to_xero.runtime.backfill_answer import backfill_answer
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.runtime.composition import AWS_CONFIG, Application, application
from amazon_to_xero.runtime.handlers import Handler
from amazon_to_xero.runtime.observability import PowertoolsDecisionLog, logger, metrics
from amazon_to_xero.runtime.replay_answer import Previews, history_answer, step_answer
from amazon_to_xero.runtime.replay_queues import ReplayQueues, replay_queues
from amazon_to_xero.runtime.replay_request import (
    BackfillEvent,
    HistoryEvent,
    ReplayEvent,
    RequestRefused,
    ResyncEvent,
    parse_event,
)
from amazon_to_xero.services.replay.acts import ReplayActs
from amazon_to_xero.services.replay.automatic import AutomaticReplay
from amazon_to_xero.services.replay.evidence import history_of
from amazon_to_xero.services.replay.failures import LetterReader, ReplayedConnection
from amazon_to_xero.services.replay.replay import Replay, ReplayStep
from amazon_to_xero.services.replay.resync import Resync

#: After it nothing new is begun; what is begun (a call to Xero, or to SQS) ends within it.
_RESERVE = timedelta(seconds=20)


def replay_handler() -> Handler:
    """Return the handler.

    An SQS event of a dead-letter queue, which arrives with `AutomaticReplay` only, is answered with the letters that
    stay. An operator's event is `{"replay": {…}}`, `{"resync": {…}}`, `{"history": {…}}` or `{"backfill": {…}}`; one
    that cannot be used is answered with `{"refused": <what is wrong>}` and is no error of the function.
    """

    @metrics.log_metrics
    @logger.inject_lambda_context(clear_state=True)
    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        logger.set_correlation_id(context.aws_request_id)
        stack = ReplayedStack(application(), queues())
        if "Records" in event:
            kept = stack.automatic().process([stack.letter(record) for record in SQSEvent(event).records])
            return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in kept]}
        try:
            return stack.answer(event, timedelta(milliseconds=context.get_remaining_time_in_millis()) - _RESERVE)
        except (RequestRefused, BackfillRefused) as problem:
            return {"refused": str(problem)}

    return handler


class ReplayedStack:
    """The services of a replay over the connections of one invocation."""

    def __init__(self, app: Application, queues: ReplayQueues) -> None:
        self._clock = app.clock
        self._queues = queues
        connections = app.connections()
        self._previews = {name: each.preview for name, each in connections.items()}
        self._backfills = {name: each.backfills for name, each in connections.items()}
        self._connections: Mapping[str, ReplayedConnection] = {
            name: ReplayedConnection(name, each.seller_id, each.services.store) for name, each in connections.items()
        }
        self._reader = LetterReader({name: each.parse for name, each in CAPABILITIES.items()}, self._connections)
        self._acts = ReplayActs(queues.work, self._connections, self._clock, PowertoolsDecisionLog)

    def automatic(self) -> AutomaticReplay:
        return AutomaticReplay(
            self._queues.dead_letters,
            self._queues.stopped,
            self._reader,
            self._acts,
            self._connections,
            self._clock,
            PowertoolsDecisionLog(""),
        )

    def letter(self, record: SQSRecord) -> DeadLetter:
        """Return the letter in a record that Lambda delivers."""
        texts = {name: each.string_value or "" for name, each in record.message_attributes.items()}
        capability = self._queues.capabilities[record.event_source_arn.rpartition(":")[2]]
        sent = record.attributes.sent_timestamp
        return dead_letter(capability, record.message_id, record.receipt_handle, record.body, sent, texts)

    def answer(self, event: dict[str, Any], time_left: timedelta) -> dict[str, Any]:
        """Return the answer to an operator's event. Raises RequestRefused, QueueFailed and Conflict."""
        match parse_event(event):
            case ReplayEvent() as asked:
                dead_letters = [*self._queues.dead_letters.values(), self._queues.stopped_letters]
                replay = Replay(dead_letters, self._reader, self._acts, self._connections, self._clock)
                now = self._clock.now()
                deadline = now + time_left
                step = replay.step(asked.request(), deadline)
                return step_answer(step, now, self._preview(step, deadline) if asked.shows_differences else None)
            case HistoryEvent() as asked:
                return history_answer(history_of(self._store(asked.connection), asked.source, self._clock.now()))
            case ResyncEvent() as asked:
                resync = Resync(asked.connection, self._store(asked.connection), self._acts, self._clock)
                done = resync.step(asked.orders, asked.by, self._clock.now() + time_left)
                return {"sent": list(done.sent), "waiting": done.waiting}
            case BackfillEvent() as asked:
                self._store(asked.connection)
                return backfill_answer(self._backfills[asked.connection], asked)
        raise RequestRefused("the event is none that the replay function takes")

    def _store(self, connection: str) -> StateStore:
        if connection not in self._connections:
            raise RequestRefused(f"connection: there is no connection {connection} in use")
        return self._connections[connection].store

    def _preview(self, step: ReplayStep, deadline: datetime) -> Previews:
        """Preview what a step would send; what the deadline leaves no time for has a note that says so."""
        sent: dict[str, list[str]] = {}
        for each in step.failures:
            if each.decision.action is ReplayAction.SEND and each.failure.connection in self._previews:
                sent.setdefault(each.failure.connection, []).append(each.failure.source)
        return {
            (name, source): preview
            for name, sources in sent.items()
            for source, preview in self._previews[name].of(sources, deadline).items()
        }


@cache
def queues() -> ReplayQueues:
    """Return the queues of this execution environment. Raises SettingsError for an incomplete environment."""
    return replay_queues(boto3.client("sqs", config=AWS_CONFIG), os.environ)
