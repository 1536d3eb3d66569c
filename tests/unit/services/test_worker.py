"""One worker at a time per connection: who works, who leaves, who waits, and when a run ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.capabilities import ORDERS, SHIPMENTS
from amazon_to_xero.domain.failures import WAITS, WaitReason
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.poster import DocumentPoster
from amazon_to_xero.services.work_report import PostReport, StepReport
from amazon_to_xero.services.worker import CapabilityWork, SyncWorker, WorkReport, WorkStep
from fakes.state import NOON, ManualClock, MemoryStateStore, RecordingDecisionLog

SECOND = timedelta(seconds=1)
READ, PLAN_DRAFTS, PLAN_SHIPMENTS, POST, SWEEP = "read", "plan drafts", "plan shipments", "post", "sweep"


@dataclass
class ScriptedWork:
    """The work of two capabilities, and the poster: each step returns its reports one after the other, then empty ones.

    calls: each call of a step, with the keys that were named to it.
    during: run in turn, each during the first step of a round.
    swept: what a sweep reports.
    """

    reads: list[StepReport] = field(default_factory=list)
    plans: list[StepReport] = field(default_factory=list)  # of the shipments capability
    posts: list[PostReport] = field(default_factory=list)
    calls: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    during: list[Callable[[], object]] = field(default_factory=list)
    swept: StepReport = field(default_factory=lambda: StepReport(3, ("A",), ("contact#swept",)))

    def capabilities(self) -> dict[str, CapabilityWork]:
        return {
            ORDERS: CapabilityWork(
                self._step(READ, self.reads), self._step(PLAN_DRAFTS, []), sweep=lambda deadline: self._sweep()
            ),
            SHIPMENTS: CapabilityWork(plan=self._step(PLAN_SHIPMENTS, self.plans)),
        }

    def post_due(self, named: Sequence[str], deadline: datetime) -> PostReport:
        self.calls.append((POST, tuple(named)))
        assert self.count(POST) < 50, "the run never ends"
        return self.posts.pop(0) if self.posts else PostReport()

    def count(self, step: str) -> int:
        return sum(name == step for name, _ in self.calls)

    def steps(self) -> list[str]:
        return [name for name, _ in self.calls]

    def _step(self, name: str, reports: list[StepReport]) -> WorkStep:
        def step(named: Sequence[str], deadline: datetime) -> StepReport:
            is_first = not self.calls or self.calls[-1][0] in (POST, SWEEP)
            self.calls.append((name, tuple(named)))
            if is_first and self.during:
                self.during.pop(0)()
            return reports.pop(0) if reports else StepReport()

        return step

    def _sweep(self) -> StepReport:
        self.calls.append((SWEEP, ()))
        return self.swept


class WorkerWithScript:
    """A worker over scripted work."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.decisions = RecordingDecisionLog()
        self.pauses = Pauses(self.store, self.clock, self.decisions)
        self.script = ScriptedWork()
        self.worker = self.worker_over(self.script)

    def worker_over(self, script: ScriptedWork) -> SyncWorker:
        poster = cast(DocumentPoster, script)
        return SyncWorker(script.capabilities(), poster, self.store, self.pauses, self.clock, self.decisions)

    def run(
        self,
        *named: str,
        seconds: float = 60,
        wait_for_lease: bool = False,
        capabilities: Collection[str] | None = None,
    ) -> WorkReport:
        deadline = self.clock.now() + seconds * SECOND
        return self.worker.run("w1", deadline, named, capabilities=capabilities, wait_for_lease=wait_for_lease)

    def acquire_lease(self, seconds: float, name: str = "worker") -> None:
        """Another worker acquires the lease for that long."""
        now = self.clock.now()
        assert self.store.acquire(name, "other", now, now + seconds * SECOND)

    def turn_another_away(self, capability: str) -> Callable[[], object]:
        """Return an action: an order becomes due, and the worker that was started for it finds the lease held."""

        def action() -> None:
            self.make_due(capability)
            other = ScriptedWork()
            deadline = self.clock.now() + 60 * SECOND
            assert self.worker_over(other).run("w2", deadline, ["A"], capabilities=[capability]).busy
            assert other.calls == []

        return action

    def make_due(self, capability: str = ORDERS) -> None:
        record = OrderRecord("A", self._generation())
        due = (
            record.read_again_at(self.clock.now())
            if capability == ORDERS
            else record.to_be_planned(capability, self.clock.now())
        )
        self.store.save([due])

    def make_done(self) -> None:
        self.store.save([OrderRecord("A", self._generation())])

    def _generation(self) -> int:
        held = self.store.load(OrderRecord, ["A"]).get("A")
        return held.generation if held else 0


@pytest.fixture
def work() -> WorkerWithScript:
    return WorkerWithScript()


# --- a round ----------------------------------------------------------------------------------------------------------


def test_orders_are_read_planned_and_posted_in_one_run(work: WorkerWithScript) -> None:
    read, planned = StepReport(1, ("B",), ("contact#C",)), StepReport(1, documents=("payment#A",))
    work.script.reads.append(read)
    work.script.plans.append(planned)
    work.script.posts.append(PostReport(applied=2))

    report = work.run("A")

    assert work.script.calls[:4] == [
        (READ, ("A",)),
        (PLAN_DRAFTS, ("A", "B")),
        (PLAN_SHIPMENTS, ("A", "B")),
        (POST, ("contact#C", "payment#A")),
    ]
    assert report == WorkReport(read, planned, PostReport(applied=2))


@pytest.mark.parametrize(
    ("capability", "steps"), [(ORDERS, [READ, PLAN_DRAFTS, POST]), (SHIPMENTS, [PLAN_SHIPMENTS, POST])]
)
def test_run_does_the_work_of_its_capabilities_and_posts(
    work: WorkerWithScript, capability: str, steps: list[str]
) -> None:
    work.run("A", capabilities=[capability])

    assert work.script.steps() == steps
    assert [named for step, named in work.script.calls if step != POST] == [("A",)] * (len(steps) - 1)
    assert work.script.calls[-1] == (POST, ())


@pytest.mark.parametrize(("capability", "other"), [(ORDERS, SHIPMENTS), (SHIPMENTS, ORDERS)])
def test_run_ends_although_another_capability_has_work_due(work: WorkerWithScript, capability: str, other: str) -> None:
    work.make_due(other)

    work.run(capabilities=[capability])

    assert work.script.count(POST) == 1
    assert work.store.due(ORDERS, NOON, 9) + work.store.due(SHIPMENTS, NOON, 9) == ["A"]


def test_run_continues_until_a_round_makes_no_progress(work: WorkerWithScript) -> None:
    work.script.reads.extend([StepReport(2), StepReport(1), StepReport()])
    work.script.posts.extend([PostReport(applied=2), PostReport(), PostReport(applied=1), PostReport()])

    report = work.run()

    assert work.script.count(READ) == 4
    assert (report.read.records, report.posted.applied) == (3, 3)


def test_planned_records_are_progress_and_the_reason_why_planning_stopped_is_reported(work: WorkerWithScript) -> None:
    work.script.plans.extend([StepReport(2), StepReport(1, stopped="XERO_PAUSED")])

    report = work.run(capabilities=[SHIPMENTS])

    assert work.script.count(PLAN_SHIPMENTS) == 2
    assert (report.planned.records, report.stopped) == (3, "XERO_PAUSED")


def test_failed_document_is_progress(work: WorkerWithScript) -> None:
    work.script.posts.extend([PostReport(failed=1), PostReport(applied=1)])

    assert work.run().posted == PostReport(applied=1, failed=1)


def test_run_ends_with_the_round_in_which_something_stopped_it(work: WorkerWithScript) -> None:
    work.make_due()
    work.script.reads.append(StepReport(1, stopped="AMAZON_QUOTA"))

    report = work.run()

    assert work.script.count(READ) == 1
    assert report.read.stopped == "AMAZON_QUOTA"
    assert work.script.count(POST) == 1  # what was read before is still posted


def test_run_that_was_stopped_logs_once_why_and_what_to_do(work: WorkerWithScript) -> None:
    work.make_due()
    work.script.reads.append(StepReport(1, stopped="AMAZON_NOT_AUTHORISED"))
    work.script.posts.append(PostReport(stopped="XERO_MINUTE_LIMIT"))

    work.run()

    assert work.decisions.of("WORK_STOPPED") == [
        {
            "reason": "AMAZON_NOT_AUTHORISED",
            "remedy": "Authorise the application again in Seller Central, or rotate its client secret where doctor "
            "says that it has ended. Then run connect amazon and enter what is new.",
            "read_stopped": "AMAZON_NOT_AUTHORISED",
            "posted_stopped": "XERO_MINUTE_LIMIT",
        }
    ]


def test_stop_that_lasts_is_logged_once_in_a_quarter_of_an_hour_by_all_workers_together(work: WorkerWithScript) -> None:
    logged = []
    for _ in range(60):
        for worker in (work.worker, work.worker_over(work.script)):
            work.script.posts.append(PostReport(stopped="XERO_PAUSED"))
            worker.run("w1", work.clock.now() + 60 * SECOND)
        work.script.calls.clear()
        logged.append(len(work.decisions.of("WORK_STOPPED")))
        work.clock.advance(60)

    assert logged == [1] * 15 + [2] * 15 + [3] * 15 + [4] * 15
    assert work.store.writes("CURSOR#work-stopped") == 4


def test_stop_for_another_reason_is_logged_at_once(work: WorkerWithScript) -> None:
    for reason in ("XERO_NOT_AUTHORISED", "XERO_PAUSED", "XERO_PAUSED", "XERO_NOT_AUTHORISED"):
        work.script.posts.append(PostReport(stopped=reason))
        work.run()
    work.script.reads.append(StepReport(stopped="AMAZON_PAUSED"))
    work.script.posts.append(PostReport(stopped="XERO_PAUSED"))
    work.run()

    assert [line["reason"] for line in work.decisions.of("WORK_STOPPED")] == [
        "XERO_NOT_AUTHORISED",
        "XERO_PAUSED",
        "AMAZON_PAUSED",
    ]


def test_run_that_is_not_stopped_reads_and_writes_nothing_about_stops(work: WorkerWithScript) -> None:
    work.run()

    assert work.store.writes("CURSOR#") == 0


def test_run_that_did_everything_due_logs_no_stop(work: WorkerWithScript) -> None:
    work.make_due()
    work.script.during = [work.make_done]

    work.run()

    assert work.decisions.of("WORK_STOPPED") == []


def test_sweep_that_was_stopped_logs_why_although_the_run_after_it_was_not(work: WorkerWithScript) -> None:
    work.script.swept = StepReport(1, stopped="AMAZON_QUOTA")

    work.worker.sweep(ORDERS, "w1", NOON + 60 * SECOND)

    (line,) = work.decisions.of("WORK_STOPPED")
    assert (line["reason"], line["remedy"]) == ("AMAZON_QUOTA", WAITS[WaitReason.AMAZON_QUOTA])


def test_no_round_begins_after_the_deadline(work: WorkerWithScript) -> None:
    work.make_due()
    work.script.reads.extend([StepReport(1)] * 20)
    work.script.during = [lambda: work.clock.advance(25)] * 20

    work.run(seconds=60)
    assert work.script.count(READ) == 3
    assert work.run(seconds=0).busy


# --- the lease --------------------------------------------------------------------------------------------------------


def test_run_ends_at_once_while_another_worker_holds_the_lease(work: WorkerWithScript) -> None:
    work.acquire_lease(50)

    report = work.run("A", "B")

    assert (report.busy, work.script.calls, work.clock.slept) == (True, [], [])
    assert work.decisions.of("LEASE_HELD_BY_ANOTHER_WORKER") == [{"records": 2}]


def test_lease_is_released_when_a_run_fails(work: WorkerWithScript) -> None:
    def fail() -> None:
        raise ConnectionError

    work.script.during = [fail]
    with pytest.raises(ConnectionError):
        work.run()

    assert work.run().busy is False


@pytest.mark.parametrize(("capability", "step"), [(ORDERS, READ), (SHIPMENTS, PLAN_SHIPMENTS)])
def test_holder_of_the_lease_does_the_work_of_a_worker_that_was_turned_away(
    work: WorkerWithScript, capability: str, step: str
) -> None:
    # Given a notice that becomes durable after the holder's last look at the index
    work.script.during = [work.turn_another_away(capability), work.make_done]

    work.run()

    assert work.script.count(step) >= 2
    assert work.store.due(capability, work.clock.now(), 9) == []


def test_run_that_waits_for_the_lease_starts_when_the_worker_before_it_ends(work: WorkerWithScript) -> None:
    work.acquire_lease(18)

    report = work.run(seconds=100, wait_for_lease=True)

    assert not report.busy
    assert 18 <= sum(work.clock.slept) <= 23


def test_run_waits_for_the_lease_no_longer_than_until_the_next_run_starts(work: WorkerWithScript) -> None:
    work.acquire_lease(600)

    assert work.run(seconds=300, wait_for_lease=True).busy
    assert 50 <= sum(work.clock.slept) <= 61


# --- limits that open -------------------------------------------------------------------------------------------------


def test_run_that_waits_continues_when_xero_s_limit_opens(work: WorkerWithScript) -> None:
    work.make_due()
    work.script.posts.extend([PostReport(applied=57, stopped="XERO_MINUTE_LIMIT"), PostReport(applied=3)])
    work.pauses.pause("xero", NOON + 30 * SECOND, "XERO_MINUTE_LIMIT")
    work.script.during = [lambda: None, work.make_done]

    report = work.run(seconds=60, wait_for_lease=True)

    assert work.clock.slept == [30]
    assert report.posted == PostReport(applied=60)


def test_reason_that_stopped_an_earlier_round_is_not_reported_for_a_later_one(work: WorkerWithScript) -> None:
    work.make_due(SHIPMENTS)
    work.pauses.pause("xero", NOON + 30 * SECOND, "XERO_MINUTE_LIMIT")
    work.script.plans.append(StepReport(1, stopped="XERO_PAUSED"))
    work.script.during = [lambda: None, work.make_done]

    report = work.run(capabilities=[SHIPMENTS], wait_for_lease=True)

    assert (work.clock.slept, report.planned.records, report.stopped) == ([30], 1, "")


def test_run_does_not_wait_for_a_limit_when_nothing_will_be_due(work: WorkerWithScript) -> None:
    work.pauses.pause("xero", NOON + 30 * SECOND, "XERO_MINUTE_LIMIT")

    work.run(wait_for_lease=True)

    assert work.clock.slept == []


@pytest.mark.parametrize(("seconds", "opens"), [(60, 60), (600, 62)])
def test_run_does_not_wait_for_a_limit_beyond_its_deadline_or_the_next_run(
    work: WorkerWithScript, seconds: int, opens: int
) -> None:
    work.make_due()
    work.pauses.pause("xero", NOON + opens * SECOND, "XERO_DAY_LIMIT")
    work.script.reads.append(StepReport(stopped="XERO_PAUSED"))

    work.run(seconds=seconds, wait_for_lease=True)

    assert work.clock.slept == []


def test_run_that_does_not_wait_for_the_lease_waits_for_no_limit(work: WorkerWithScript) -> None:
    work.make_due()
    work.pauses.pause("xero", NOON + 5 * SECOND, "XERO_MINUTE_LIMIT")
    work.script.posts.append(PostReport(stopped="XERO_PAUSED"))

    work.run(seconds=300)

    assert work.clock.slept == []


# --- the sweep --------------------------------------------------------------------------------------------------------


def test_sweep_reads_then_plans_and_posts_what_it_found(work: WorkerWithScript) -> None:
    work.make_due()
    work.script.during = [work.make_done]

    report = work.worker.sweep(ORDERS, "w1", NOON + 60 * SECOND)

    assert work.script.calls[:4] == [(SWEEP, ()), (READ, ("A",)), (PLAN_DRAFTS, ("A",)), (POST, ("contact#swept",))]
    assert (report.read.records, report.busy) == (3, False)


def test_sweep_reads_beside_another_worker_and_leaves_posting_to_it(work: WorkerWithScript) -> None:
    work.acquire_lease(50)

    report = work.worker.sweep(ORDERS, "w1", NOON + 60 * SECOND)

    assert work.script.steps() == [SWEEP]
    assert (report.read.records, report.busy) == (3, True)


def test_second_sweep_at_the_same_time_does_nothing(work: WorkerWithScript) -> None:
    work.acquire_lease(50, f"sweep#{ORDERS}")

    assert work.worker.sweep(ORDERS, "w1", NOON + 60 * SECOND).busy
    assert work.script.calls == []
    assert work.decisions.of("LEASE_HELD_BY_ANOTHER_WORKER") == [{"sweep": ORDERS}]


def test_capability_without_a_sweep_cannot_be_swept(work: WorkerWithScript) -> None:
    with pytest.raises(ValueError, match="shipments has no sweep"):
        work.worker.sweep(SHIPMENTS, "w1", NOON + 60 * SECOND)
