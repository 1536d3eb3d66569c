"""Virtual time, and workers that give way to each other only where they touch the outside.

A worker is a greenlet: ordinary synchronous code. Whenever it does I/O it calls `Scheduler.sleep`; which of the waiting
workers goes on, and how much time has passed, is decided by the delays that the seeded world draws. Nothing here reads
a clock or the operating system's randomness, so one seed gives one history.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from greenlet import GreenletExit, getcurrent, greenlet

START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)

type _Event = tuple[int, int, int, Callable[[], None]]  # microseconds, order among those of one moment, number, what


class Task:
    """One worker. `dead` is kill -9: it never runs again, and nothing it still holds has an effect."""

    def __init__(self, name: str, body: Callable[[], None], go_on: Callable[[Task], None]) -> None:
        self.name = name
        self.dead = False
        self.green = greenlet(body)
        self.go_on = partial(go_on, self)  # the event that continues it, one for its whole life

    @property
    def over(self) -> bool:
        return self.dead or self.green.dead


class Scheduler:
    """A heap of moments. Events of the same moment come in an order that the seed decides."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._events: list[_Event] = []
        self._micros = 0
        self._now = (0, START)  # the moment that was asked for last, in microseconds and as a time
        self._number = 0
        self._hub = getcurrent()
        self._tasks: list[Task] = []
        self._last = 0  # microseconds: where the present run ends
        self.current: Task | None = None

    def now(self) -> datetime:
        if self._now[0] != self._micros:
            self._now = self._micros, START + timedelta(microseconds=self._micros)
        return self._now[1]

    @property
    def seconds(self) -> float:
        return self._micros / 1e6

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        """`event` runs in the scheduler itself: it must not sleep."""
        heapq.heappush(self._events, self._event(seconds, event))

    def _event(self, seconds: float, event: Callable[[], None]) -> _Event:
        self._number += 1
        micros = round(seconds * 1e6)
        due = self._micros + micros if micros > 0 else self._micros
        return due, self._rng.getrandbits(30), self._number, event

    def start(self, name: str, body: Callable[[], None], delay: float = 0.0) -> Task:
        task = Task(name, body, self._go_on)
        self._tasks.append(task)
        self.after(delay, task.go_on)
        return task

    def sleep(self, seconds: float) -> None:
        """Gives way. Outside of a worker, where a world is set up or looked at, time stands still."""
        task = self.current
        if task is None:
            return
        if task.dead:
            raise GreenletExit
        event = self._event(seconds, task.go_on)
        if event[0] <= self._last and (not self._events or event < self._events[0]):
            self._micros = event[0]  # nothing else happens before this worker goes on: no need to give way
            return
        heapq.heappush(self._events, event)
        self._hub.switch()
        if task.dead:
            raise GreenletExit

    def kill(self, task: Task) -> None:
        """The worker is gone at once; killing the current one does not return."""
        task.dead = True
        if task is self.current:
            self._hub.switch()
            raise GreenletExit

    def run(self, until: Callable[[], bool], limit: float) -> bool:
        """Let things happen until `until` holds; return False when `limit` (s) passed first.

        `until` is checked after each event, and must not hold while a worker runs.
        """
        last = self._last = self._micros + round(limit * 1e6)
        while not until():
            if not self._events or self._events[0][0] > last:
                self._micros = last
                return False
            due, _, _, event = heapq.heappop(self._events)
            self._micros = max(self._micros, due)
            event()
        return True

    def close(self) -> None:
        """Unwinds the workers that never came to an end; whatever they try on the way out is refused."""
        for task in self._tasks:
            if not task.green.dead:
                task.dead = True
                self.current = task
                if task.green:
                    task.green.throw(GreenletExit)
        self.current = None
        self._tasks.clear()
        self._events.clear()

    def _go_on(self, task: Task) -> None:
        if task.over:
            return
        self.current = task
        task.green.parent = self._hub
        task.green.switch()
        self.current = None
