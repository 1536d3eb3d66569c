"""A stack with one connection whose failures are replayed: the harness of the replay's tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from amazon_to_xero.domain.planning.policy import PostingPolicy
from amazon_to_xero.domain.replay.record import ReplayAction, ReplayRecord
from amazon_to_xero.domain.replay.selection import ReplayFilter
from amazon_to_xero.ports.amazon import Json
from amazon_to_xero.runtime.capabilities import CAPABILITIES
from amazon_to_xero.services.replay.acts import ReplayActs
from amazon_to_xero.services.replay.closing import Closing
from amazon_to_xero.services.replay.cursor import ReplayCursor
from amazon_to_xero.services.replay.failures import LetterReader, ReplayedConnection
from amazon_to_xero.services.replay.replay import Replay, ReplayRequest, ReplayStep
from fakes.connection import FakeConnection
from fakes.replay import MemoryDeadLetterQueue, MemoryQueue
from fakes.state import ManualClock, RecordingDeadLetters
from unit.services.planning.paying_connection import PAYING, WITH_CLEARING

ADA = "arn:aws:iam::123456789012:user/ada"
MINUTE = timedelta(minutes=1)
#: Settings with which every order fails with ACCOUNT_UNMAPPED; PAYING corrects them.
WITHOUT_ACCOUNT = replace(PAYING, accounts=replace(PAYING.accounts, charges={}))


class ReplayedStack:
    """A stack with the connection main. Its functions run when `run_functions` is called."""

    def __init__(self, *orders: Json, policy: PostingPolicy = WITHOUT_ACCOUNT) -> None:
        self.clock = ManualClock()
        self.dead_letters = {name: MemoryDeadLetterQueue(capability=name, clock=self.clock) for name in CAPABILITIES}
        self.stopped_letters = MemoryDeadLetterQueue(clock=self.clock)
        self.queues = {name: MemoryQueue() for name in CAPABILITIES}
        recording: dict[str, RecordingDeadLetters] = dict(self.dead_letters)
        self.main = FakeConnection(policy=policy, clock=self.clock, dead_letters=recording)
        self.main.xero.settings = WITH_CLEARING
        self.main.amazon.hold(*orders)
        self.main.sweep()
        self.run_functions()

    @property
    def connections(self) -> dict[str, ReplayedConnection]:
        return {self.main.name: ReplayedConnection(self.main.name, self.main.seller_id, self.main.store)}

    @property
    def acts(self) -> ReplayActs:
        return ReplayActs(self.queues, self.connections, self.clock, lambda _: self.main.decisions)

    @property
    def reader(self) -> LetterReader:
        return LetterReader({name: each.parse for name, each in CAPABILITIES.items()}, self.connections)

    def step(
        self,
        *,
        preview: bool = False,
        cursor: ReplayCursor | None = None,
        limit: int = 25,
        cap: int = 5,
        deadline: timedelta = MINUTE,
        closing: Closing | None = None,
        **selected: Any,
    ) -> ReplayStep:
        """Replay the next failures that Ada selects."""
        queues = [*self.dead_letters.values(), self.stopped_letters]
        replay = Replay(queues, self.reader, self.acts, self.connections, self.clock)
        request = ReplayRequest(ReplayFilter(**selected), ADA, limit, cap, cursor, preview, closing=closing)
        return replay.step(request, self.clock.now() + deadline)

    def run_functions(self) -> None:
        """Let the functions of all capabilities process what is in their queues, and the worker what is due."""
        for name, queue in self.queues.items():
            notices = [CAPABILITIES[name].parse(body) for body in queue.bodies]
            queue.bodies.clear()
            CAPABILITIES[name].record(self.main.connection.services, notices)
        self.main.connection.worker.run("worker", self.clock.now() + MINUTE)

    def correct(self, policy: PostingPolicy = PAYING) -> None:
        """Correct the settings: the functions take the new ones."""
        self.main.policy = policy
        self.main.restart()

    def evidence(self, source: str) -> ReplayRecord:
        return self.main.store.load(ReplayRecord, [source]).get(source, ReplayRecord(source))

    def letters(self) -> list[tuple[str, str]]:
        """Return capability and order of every letter that is there, hidden ones as well."""
        return [(name, each.order_id) for name, queue in self.dead_letters.items() for each in queue.kept]


def actions(step: ReplayStep) -> list[tuple[str, ReplayAction]]:
    """Return source and action of each failure of a step."""
    return [(each.failure.source, each.decision.action) for each in step.failures]
