"""Lambda: warm and cold sandboxes, time-outs, crashes and frozen workers; queue polling; schedules."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from greenlet import GreenletExit

from simulation.queues import Message, Queue
from simulation.scheduler import Scheduler, Task
from simulation.weather import Weather

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
Done = Callable[[dict[str, Any] | None], None]  # the answer, None when the invocation failed


@dataclass
class Sandbox:
    """One execution environment; `application` is what it keeps warm."""

    name: str
    application: Any = None
    busy: bool = False
    dead: bool = False
    frozen_until: float = 0.0
    outlived: bool = False  # its invocation has timed out, and Lambda has not ended it


@dataclass(frozen=True)
class Context:
    """What the handlers use of Lambda's context object."""

    aws_request_id: str
    remaining: Callable[[], int] = field(repr=False)
    function_name: str = "simulated"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:000000000000:function:simulated"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining()


class Functions:
    """All functions of the stack."""

    def __init__(
        self,
        scheduler: Scheduler,
        rng: random.Random,
        weather: Callable[[], Weather],
        build: Callable[[Sandbox], Any],
        log: Callable[[str, str], None],
        unexpected: Callable[[str, Exception], None],
        timeout: float = 120.0,  # template.yaml: Timeout
        outlive_timeout: bool = False,
    ) -> None:
        self._scheduler = scheduler
        self._rng = rng
        self._weather = weather
        self._build = build
        self._log = log
        self._unexpected = unexpected
        self._timeout = timeout
        self._outlive_timeout = outlive_timeout
        self._sandboxes: dict[str, list[Sandbox]] = {}
        self._of_task: dict[str, Sandbox] = {}
        self.started = 0
        self._built = 0
        self._finish: dict[str, Done] = {}
        self.running: dict[str, Task] = {}

    def sandbox(self) -> Sandbox:
        """The one whose code runs at the moment."""
        assert self._scheduler.current is not None
        return self._of_task[self._scheduler.current.name]

    def invoke(self, function: str, handler: Handler, event: dict[str, Any], done: Done = lambda _: None) -> None:
        self.started += 1
        name = f"{function}-{self.started}"
        sandbox = self._a_sandbox(function)
        sandbox.busy, sandbox.outlived = True, False
        self._of_task[name] = sandbox
        began = self._scheduler.seconds
        finished = [False]

        def finish(answer: dict[str, Any] | None) -> None:
            if not finished[0]:
                finished[0] = True
                self._log(name, "done" if answer is not None else "failed")
                done(answer)

        def remaining() -> int:
            return max(0, round((began + self._timeout - self._scheduler.seconds) * 1000))

        def body() -> None:
            answer = None
            try:
                answer = handler(event, Context(name, remaining))
            except GreenletExit:
                return
            except Exception as problem:
                self._log(name, f"raised {type(problem).__name__}")
                self._unexpected(name, problem)
            sandbox.busy = False
            self.running.pop(name, None)
            finish(answer)

        def time_out() -> None:
            if task.over:
                return
            self._log(name, "timed out")
            finish(None)
            sandbox.outlived = self._outlive_timeout and sandbox.frozen_until > self._scheduler.seconds
            if not sandbox.outlived:
                self._bury(name, task, sandbox)

        self._log(name, f"starts in {sandbox.name}")
        task = self._scheduler.start(name, body)
        self.running[name] = task
        self._finish[name] = finish
        self._scheduler.after(self._timeout, time_out)

    def step(self, what: str) -> None:
        """A worker touches the outside: it may die here, or freeze, and others may go on."""
        task = self._scheduler.current
        if task is None:
            return
        weather, rng = self._weather(), self._rng
        seconds = rng.random() * 0.015
        deadly = weather.crash
        if what in ("xero.write", "xero.wrote"):
            deadly += weather.crash_around_writes
        sandbox = self._of_task.get(task.name)
        if sandbox is not None:
            if sandbox.outlived and what == "xero.write":
                # Rows are fenced against whoever outlives its time; what is sent to Xero then, nothing can fence.
                # Lambda ends a function at its time-out, and a claim lasts longer than that.
                self._bury(task.name, task, sandbox)
            if deadly and rng.random() < deadly:
                self._log(task.name, f"dies at {what}")
                finish = self._finish[task.name]
                self._scheduler.after(0.1, lambda: finish(None))
                self._bury(task.name, task, sandbox)
            icy = weather.freeze
            if what in ("xero.write", "xero.wrote", "amazon.answered"):
                icy += weather.freeze_around_calls
            if icy and rng.random() < icy:
                frozen = rng.random() * weather.freeze_for
                self._log(task.name, f"freezes at {what} for {frozen:.0f} s")
                seconds += frozen
                sandbox.frozen_until = self._scheduler.seconds + seconds
        self._scheduler.sleep(seconds)
        if what == "xero.write" and sandbox is not None and sandbox.outlived:
            self._bury(task.name, task, sandbox)  # it timed out while it was frozen here

    def _bury(self, name: str, task: Task, sandbox: Sandbox) -> None:
        sandbox.dead = True
        self.running.pop(name, None)
        self._scheduler.kill(task)

    def _a_sandbox(self, function: str) -> Sandbox:
        pool = self._sandboxes.setdefault(function, [])
        pool[:] = [sandbox for sandbox in pool if not sandbox.dead]
        idle = [sandbox for sandbox in pool if not sandbox.busy]
        if idle and self._rng.random() >= self._weather().cold:
            return self._rng.choice(idle)
        self._built += 1
        sandbox = Sandbox(f"{function}@{self._built}")
        sandbox.application = self._build(sandbox)
        pool.append(sandbox)
        return sandbox


class Poller:
    """The event source mapping of a queue: batches, at most so many at a time, partial failures."""

    def __init__(
        self,
        queue: Queue,
        functions: Functions,
        function: str,
        handler: Handler,
        scheduler: Scheduler,
        rng: random.Random,
        weather: Callable[[], Weather],
        acknowledged: Callable[[Message], None],
        batch: int = 1000,  # template.yaml: BatchSize, MaximumBatchingWindowInSeconds, MaximumConcurrency
        window: float = 20.0,
        at_once: int = 2,
    ) -> None:
        self.under_way = 0
        self._is_awake = False
        self._queue = queue
        self._functions = functions
        self._function = function
        self._handler = handler
        self._scheduler = scheduler
        self._rng = rng
        self._weather = weather
        self._acknowledged = acknowledged
        self._batch = batch
        self._window = window
        self._at_once = at_once

    def start(self) -> None:
        self._queue.on_message = self._wake
        self._wake()

    def _wake(self) -> None:
        """Poll within the batching window, and again as long as the queue holds messages."""
        if not self._is_awake:
            self._is_awake = True
            self._scheduler.after(self._rng.random() * self._window, self._poll)

    def _poll(self) -> None:
        self._is_awake = bool(self._queue.messages)
        if self._is_awake:
            self._scheduler.after(0.5 + self._rng.random() * self._window, self._poll)
        if self.under_way >= self._at_once or not self._queue.visible():
            return
        messages = self._queue.receive(self._batch, self._weather().duplicate)
        if not messages:
            return
        self.under_way += 1
        records = [
            {
                "messageId": message.message_id,
                "body": message.body,
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "attributes": {"ApproximateReceiveCount": str(message.receives)},
            }
            for message in messages
        ]

        def done(answer: dict[str, Any] | None) -> None:
            self.under_way -= 1
            if answer is None:
                return
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            for message in messages:
                if message.message_id not in failed:
                    self._acknowledged(message)
                    if self._rng.random() >= self._weather().delete_lost:
                        self._queue.delete(message.message_id)

        self._functions.invoke(self._function, self._handler, {"Records": records}, done)


class Schedule:
    """EventBridge Scheduler: at least once, now and then not at all."""

    def __init__(
        self,
        functions: Functions,
        function: str,
        handler: Handler,
        event: dict[str, Any],
        every: float,
        scheduler: Scheduler,
        rng: random.Random,
        weather: Callable[[], Weather],
        worth_it: Callable[[], bool] = lambda: True,
    ) -> None:
        self._functions = functions
        self._function = function
        self._handler = handler
        self._event = event
        self._every = every
        self._scheduler = scheduler
        self._rng = rng
        self._weather = weather
        self._worth_it = worth_it

    def start(self) -> None:
        self._scheduler.after(self._rng.random() * self._every, self._fire)

    def _fire(self) -> None:
        self._scheduler.after(self._every, self._fire)
        weather = self._weather()
        if self._rng.random() < weather.schedule_missed:
            return
        # A run that finds nothing due does nothing: most of them are left out to have time for more worlds.
        if not self._worth_it() and self._rng.random() > weather.idle_runs:
            return
        for _ in range(2 if self._rng.random() < weather.schedule_twice else 1):
            self._functions.invoke(self._function, self._handler, dict(self._event))
