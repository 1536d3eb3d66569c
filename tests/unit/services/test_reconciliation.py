"""One worker at a time per connection: who works, who leaves, who waits, and when it is over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from amazon_to_xero.domain.amazon.order_record import NextStep, OrderRecord
from amazon_to_xero.domain.books.document import Work
from amazon_to_xero.services.intake.reader import ReadReport
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.planning.planner import BookReport
from amazon_to_xero.services.posting.poster import PostReport
from amazon_to_xero.services.worker import EVERYTHING, SyncWorker, WorkReport
from fakes.state import NOON, ManualClock, MemoryStateStore, RecordingDecisionLog

SECONDS = timedelta(seconds=1)


@dataclass
class Scripted:
    """OrderReader, SourcePlanner and DocumentPoster: answer what they are told to, one report per call, then nothing more."""

    reads: list[ReadReport] = field(default_factory=list)
    books: list[BookReport] = field(default_factory=list)
    posts: list[PostReport] = field(default_factory=list)
    named: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    then: list[Callable[[], object]] = field(default_factory=list)

    def read_due(self, named: Sequence[str], deadline: datetime) -> ReadReport:
        self.named.append(("read", tuple(named)))
        if self.then:
            self.then.pop(0)()
        return self.reads.pop(0) if self.reads else ReadReport()

    def book_due(self, named: Sequence[str], deadline: datetime) -> BookReport:
        self.named.append(("book", tuple(named)))
        return self.books.pop(0) if self.books else BookReport()

    def post_due(self, named: Sequence[str], deadline: datetime) -> PostReport:
        self.named.append(("post", tuple(named)))
        assert self.count("post") < 50, "it works for ever"
        return self.posts.pop(0) if self.posts else PostReport()

    def sweep(self, deadline: datetime, since: datetime) -> ReadReport:
        self.named.append(("sweep", (since.isoformat(),)))
        return ReadReport(orders=3, documents=("invoice#swept",))

    def count(self, what: str) -> int:
        return sum(name == what for name, _ in self.named)


class Bench:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.decisions = RecordingDecisionLog()
        self.pauses = Pauses(self.store, self.clock, self.decisions)
        self.done = Scripted()
        self.service = self.worker(self.done)

    def worker(self, done: Scripted) -> SyncWorker:
        start = NOON - timedelta(days=30)
        return SyncWorker(done, done, done, self.store, self.pauses, self.clock, self.decisions, start)  # type: ignore[arg-type]

    def run(
        self, *orders: str, seconds: float = 60, patient: bool = False, work: Collection[Work] = EVERYTHING
    ) -> WorkReport:
        return self.service.run("w1", self.clock.now() + seconds * SECONDS, orders, work=work, wait_for_lease=patient)

    def hold_lease(self, seconds: float) -> object:
        lease = self.store.acquire("worker", "other", self.clock.now(), self.clock.now() + seconds * SECONDS)
        assert lease
        return lease

    def make_due(self, order_id: str = "A", wants: NextStep = NextStep.READ) -> None:
        fact = self.store.load(OrderRecord, [order_id]).get(order_id) or OrderRecord(order_id)
        self.store.save([OrderRecord(order_id, fact.generation, next_attempt_at=self.clock.now(), next_step=wants)])

    def make_done(self, order_id: str = "A") -> None:
        fact = self.store.load(OrderRecord, [order_id])[order_id]
        self.store.save([OrderRecord(order_id, fact.generation)])


def test_what_was_read_and_booked_is_posted_in_the_same_run() -> None:
    work = Bench()
    work.done.reads = [ReadReport(1, ("invoice#A",))]
    work.done.books = [BookReport(1, ("payment#A",))]
    work.done.posts = [PostReport(applied=2)]

    report = work.run("A")

    assert work.done.named[:3] == [("read", ("A",)), ("book", ("A",)), ("post", ("invoice#A", "payment#A"))]
    assert report == WorkReport(ReadReport(1, ("invoice#A",)), BookReport(1, ("payment#A",)), PostReport(applied=2))


def test_a_function_does_only_its_own_work_and_posts_whatever_is_due() -> None:
    for kind, stage in ((ORDERS, "read"), (SHIPMENTS, "book")):
        work = Bench()

        work.run("A", work={kind})

        assert work.done.named == [(stage, ("A",)), ("post", ())]


def test_what_is_due_for_another_function_keeps_nobody_at_work() -> None:
    for kind, others in ((ORDERS, NextStep.PLAN), (SHIPMENTS, NextStep.READ)):
        work = Bench()
        work.make_due(next_step=others)

        work.run(seconds=60, work={kind})

        assert work.done.count("post") == 1
        assert work.store.due(ORDERS, NOON, 9) + work.store.due(SHIPMENTS, NOON, 9) == ["A"]


def test_booking_is_progress_and_what_stops_it_is_said() -> None:
    work = Bench()
    work.done.books = [BookReport(2), BookReport(1, stopped="XERO_PAUSED")]

    report = work.run(work={SHIPMENTS})

    assert work.done.count("book") == 2
    assert (report.booked.orders, report.stopped) == (3, "XERO_PAUSED")


def test_what_stopped_an_earlier_round_of_booking_does_not_speak_for_the_next() -> None:
    work = Bench()
    work.make_due(next_step=NextStep.PLAN)
    work.pauses.pause("xero", NOON + 30 * SECONDS, "XERO_MINUTE_LIMIT")
    work.done.books = [BookReport(1, stopped="XERO_PAUSED")]
    finish = work.done.book_due

    def book_due(named: Sequence[str], deadline: datetime) -> BookReport:
        if work.clock.slept:
            work.make_done()
        return finish(named, deadline)

    work.done.book_due = book_due  # type: ignore[method-assign]
    report = work.run(work={SHIPMENTS}, wait_for_lease=True)

    assert (work.clock.slept, report.booked.orders, report.stopped) == ([30], 1, "")


def test_what_was_left_to_the_worker_at_it_for_booking_is_done_by_it() -> None:
    work = Bench()

    def another_is_turned_away() -> None:
        work.make_due(next_step=NextStep.PLAN)
        other = work.worker(Scripted())
        assert other.run("w2", work.clock.now() + 60 * SECONDS, ["A"], work={SHIPMENTS}).busy

    work.done.then = [another_is_turned_away, work.make_done]

    work.run()

    assert work.done.count("book") >= 2


def test_it_works_on_until_a_round_moves_nothing() -> None:
    work = Bench()
    work.done.reads = [ReadReport(2), ReadReport(1), ReadReport()]
    work.done.posts = [PostReport(applied=2), PostReport(), PostReport(applied=1), PostReport()]

    report = work.run()

    assert work.done.count("read") == 4
    assert (report.read.orders, report.posted.applied) == (3, 3)


def test_a_failed_document_is_progress_too() -> None:
    work = Bench()
    work.done.posts = [PostReport(failed=1), PostReport(applied=1)]

    assert work.run().posted == PostReport(applied=1, failed=1)


def test_it_stops_at_what_stops_it_and_says_so() -> None:
    work = Bench()
    work.make_due()
    work.done.reads = [ReadReport(1, stopped="AMAZON_QUOTA")]

    report = work.run()

    assert work.done.count("read") == 1
    assert report.read.stopped == "AMAZON_QUOTA"
    assert work.done.count("post") == 1  # what was read before is still posted


def test_no_round_is_begun_after_the_deadline() -> None:
    work = Bench()
    work.make_due()
    work.done.reads = [ReadReport(1)] * 20
    work.done.then = [lambda: work.clock.advance(25)] * 20

    work.run(seconds=60)
    assert work.done.count("read") == 3
    assert work.run(seconds=0).busy


def test_whoever_finds_another_worker_at_it_leaves_at_once() -> None:
    work = Bench()
    work.hold_lease(50)

    report = work.run("A", "B")

    assert (report.busy, work.done.named, work.clock.slept) == (True, [], [])
    assert work.decisions.of("LEASE_HELD_BY_ANOTHER_WORKER") == [{"orders": 2}]


def test_the_next_worker_may_begin_as_soon_as_the_first_is_done_or_has_failed() -> None:
    work = Bench()

    def fails() -> None:
        raise ConnectionError

    work.done.then = [fails]
    with pytest.raises(ConnectionError):
        work.run()

    assert work.run().busy is False


def test_what_was_left_to_the_worker_just_before_it_let_go_is_done_by_it() -> None:
    work = Bench()

    def another_is_turned_away() -> None:
        other = Scripted()
        work.make_due()
        assert work.worker(other).run("w2", work.clock.now() + 60 * SECONDS, ["A"]).busy
        assert other.named == []

    # Given a remedy that becomes durable after the last look of the worker at it
    work.done.then = [another_is_turned_away, work.make_done]

    work.run()

    assert work.done.count("read") >= 2
    assert work.store.due(ORDERS, work.clock.now(), 9) == []


def test_a_patient_run_waits_for_the_worker_before_it() -> None:
    work = Bench()
    work.hold_lease(18)

    report = work.run(seconds=100, wait_for_lease=True)

    assert not report.busy
    assert 18 <= sum(work.clock.slept) <= 23


def test_a_patient_run_does_not_wait_longer_than_until_the_next_one_comes() -> None:
    work = Bench()
    work.hold_lease(600)

    assert work.run(seconds=300, wait_for_lease=True).busy
    assert 50 <= sum(work.clock.slept) <= 61


def test_a_patient_run_waits_for_a_limit_that_opens_soon_and_goes_on() -> None:
    work = Bench()
    work.make_due()
    work.done.posts = [PostReport(applied=57, stopped="XERO_MINUTE_LIMIT"), PostReport(applied=3)]
    work.pauses.pause("xero", NOON + 30 * SECONDS, "XERO_MINUTE_LIMIT")
    work.done.then = [lambda: None, work.make_done]

    report = work.run(seconds=60, wait_for_lease=True)

    assert work.clock.slept == [30]
    assert report.posted == PostReport(applied=60)


def test_it_does_not_wait_for_a_limit_when_nothing_would_be_due_then() -> None:
    work = Bench()
    work.pauses.pause("xero", NOON + 30 * SECONDS, "XERO_MINUTE_LIMIT")

    work.run(wait_for_lease=True)

    assert work.clock.slept == []


def test_it_waits_for_no_limit_beyond_its_deadline_or_the_next_patient_run() -> None:
    for seconds, opens in ((60, 60), (600, 62)):
        work = Bench()
        work.make_due()
        work.pauses.pause("xero", NOON + opens * SECONDS, "XERO_DAY_LIMIT")
        work.done.reads = [ReadReport(stopped="XERO_PAUSED")]

        work.run(seconds=seconds, wait_for_lease=True)

        assert work.clock.slept == []


def test_an_impatient_run_waits_for_nothing() -> None:
    work = Bench()
    work.make_due()
    work.pauses.pause("xero", NOON + 5 * SECONDS, "XERO_MINUTE_LIMIT")
    work.done.posts = [PostReport(stopped="XERO_PAUSED")]

    work.run(seconds=300)

    assert work.clock.slept == []


def test_a_sweep_reads_from_the_start_of_the_books_and_posts_what_it_found() -> None:
    work = Bench()
    work.make_due()
    work.done.then = [work.make_done]

    report = work.service.sweep("w1", NOON + 60 * SECONDS)

    assert [name for name, _ in work.done.named[:3]] == ["sweep", "read", "post"]
    assert work.done.named[0] == ("sweep", ((NOON - timedelta(days=30)).isoformat(),))
    assert (report.read.orders, report.busy) == (3, False)


def test_a_sweep_goes_on_beside_the_worker_at_it_and_leaves_the_posting_to_that_one() -> None:
    work = Bench()
    work.hold_lease(50)

    report = work.service.sweep("w1", NOON + 60 * SECONDS)

    assert [name for name, _ in work.done.named] == ["sweep"]
    assert (report.read.orders, report.busy) == (3, True)


def test_two_sweeps_at_once_are_one() -> None:
    work = Bench()
    assert work.store.acquire("sweep", "other", NOON, NOON + 50 * SECONDS)

    assert work.service.sweep("w1", NOON + 60 * SECONDS).busy
    assert work.done.named == []
