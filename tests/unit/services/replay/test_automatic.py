"""The automatic replay: when a letter is sent again, when a person gets it, and that none is lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from amazon_to_xero.domain.amazon.order_record import OrderState
from amazon_to_xero.domain.capabilities import ORDERS, REFUNDS, SHIPMENTS
from amazon_to_xero.domain.corrections import CorrectionKind
from amazon_to_xero.domain.replay.failure import reprocess_body
from amazon_to_xero.domain.replay.record import ReplayAction
from amazon_to_xero.ports.replay import DeadLetter, QueueFailed
from amazon_to_xero.services.replay.automatic import AutomaticReplay
from unit.runtime.two_connections import order_change
from unit.services.amazon_orders import shipped_order
from unit.services.replay.replayed_stack import ReplayedStack

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass
class MemoryStoppedLetters:
    """ports.StoppedLetters."""

    kept: list[tuple[DeadLetter, str]] = field(default_factory=list)
    broken: bool = False

    def keep(self, letter: DeadLetter, why: str) -> None:
        if self.broken:
            raise QueueFailed("ServiceUnavailable")
        self.kept.append((letter, why))


class AutomaticStack(ReplayedStack):
    """A stack that replays automatically: Lambda delivers what is visible, and deletes what is not reported back."""

    def __init__(self, *orders: dict[str, object]) -> None:
        super().__init__(*orders)
        self.stopped = MemoryStoppedLetters()

    def deliver(self, capability: str = SHIPMENTS) -> int:
        """Deliver the visible letters of a queue; return how many there were."""
        queue = self.dead_letters[capability]
        letters = queue.receive(timedelta(seconds=380), 100)
        replay = AutomaticReplay(
            self.dead_letters, self.stopped, self.reader, self.acts, self.connections, self.clock, self.main.decisions
        )
        kept = replay.process(letters)
        for letter in letters:
            if letter.message_id not in kept:
                queue.delete(letter)
        return len(letters)

    def pass_time(self, time: timedelta) -> None:
        """Let time pass: each minute the queue delivers, and the functions work."""
        end = self.clock.now() + time
        while self.clock.now() < end:
            self.clock.advance(60)
            self.deliver()
            self.run_functions()


def sent(stack: ReplayedStack) -> int:
    return len(stack.main.decisions.of("REPLAYED"))


def test_corrected_order_is_entered_a_quarter_of_an_hour_after_it_failed() -> None:
    stack = AutomaticStack(shipped_order())
    stack.correct()

    stack.pass_time(14 * MINUTE)
    assert stack.main.record("A").state is OrderState.FAILED
    stack.pass_time(2 * MINUTE)

    assert stack.main.record("A").state is OrderState.PLANNED
    assert (stack.letters(), stack.stopped.kept) == ([], [])
    (attempt,) = stack.evidence("order#A").attempts
    assert (attempt.by, attempt.action) == ("automatic", ReplayAction.SEND)


def test_order_that_always_fails_is_sent_three_times_and_then_a_person_gets_its_letter() -> None:
    stack = AutomaticStack(shipped_order())

    stack.pass_time(7 * HOUR)

    assert sent(stack) == 3
    assert stack.letters() == []
    ((letter, why),) = stack.stopped.kept
    assert (letter.capability, letter.reason, letter.order_id) == (SHIPMENTS, "ACCOUNT_UNMAPPED", "A")
    assert why == "was sent 3 times in 14 days and failed each time"
    assert [line["source"] for line in stack.main.decisions.of("REPLAY_STOPPED")] == ["order#A"]


def test_transactions_of_an_entered_order_that_are_never_read_are_sent_three_times() -> None:
    stack = AutomaticStack(shipped_order())
    stack.correct()
    stack.pass_time(20 * MINUTE)
    assert stack.main.record("A").state is OrderState.PLANNED
    asked = reprocess_body("main", "order#A")
    stack.dead_letters[REFUNDS].move(asked)

    for _ in range(7 * 60):
        stack.clock.advance(60)
        stack.deliver(REFUNDS)
        if stack.queues[REFUNDS].bodies:  # its function fails each time
            stack.queues[REFUNDS].bodies.clear()
            stack.dead_letters[REFUNDS].move(asked)

    assert [line["queue"] for line in stack.main.decisions.of("REPLAYED")] == [SHIPMENTS, *[REFUNDS] * 3]
    assert [letter.capability for letter, _ in stack.stopped.kept] == [REFUNDS]


def test_waiting_letter_is_delivered_when_it_is_due_and_not_again_and_again() -> None:
    stack = AutomaticStack(shipped_order())
    deliveries = [0]
    for _ in range(6 * 60):
        stack.clock.advance(60)
        deliveries[0] += stack.deliver()
        stack.run_functions()

    # The failure of each attempt is a letter that is received at once, and when its wait is over
    assert deliveries[0] <= 2 * 4


def test_unreadable_letter_goes_to_a_person_at_once() -> None:
    stack = AutomaticStack()
    stack.dead_letters[ORDERS].move("{not JSON")

    stack.deliver(ORDERS)

    assert [why for _, why in stack.stopped.kept] == ["the queue does not take the message"]
    assert stack.letters() == []


def test_refused_correction_goes_to_a_person_at_once() -> None:
    stack = AutomaticStack(shipped_order())
    stack.dead_letters[SHIPMENTS]._sent.clear()
    stack.main.correct(CorrectionKind.WITHDRAW, "1")

    stack.deliver()

    assert [(letter.reason, why) for letter, why in stack.stopped.kept] == [
        ("CORRECTION_REFUSED", "the correction was refused: enter it anew, then delete the letter")
    ]
    assert (stack.queues[SHIPMENTS].bodies, stack.letters()) == ([], [])


def test_letter_of_an_unconnected_seller_goes_to_a_person_after_a_day() -> None:
    stack = AutomaticStack()
    stack.dead_letters[ORDERS].move(order_change("A", "A2OTHERSELLER", stack.clock.now()))
    for _ in range(24 * 4):
        stack.deliver(ORDERS)
        stack.clock.advance(15 * 60)

    assert stack.stopped.kept == []
    stack.deliver(ORDERS)
    assert [why for _, why in stack.stopped.kept] == ["no connection that can be used has it, for a day"]


def test_letter_stays_while_the_queue_of_stopped_letters_does_not_take_it() -> None:
    stack = AutomaticStack()
    stack.dead_letters[ORDERS].move("{not JSON")
    stack.stopped.broken = True

    stack.deliver(ORDERS)

    assert len(stack.dead_letters[ORDERS].kept) == 1
    assert stack.main.decisions.of("LETTER_NOT_REPLAYED")


def test_letter_stays_when_its_queue_does_not_take_the_message_and_others_are_sent() -> None:
    stack = AutomaticStack(shipped_order())
    stack.dead_letters[ORDERS].move(order_change("B", stack.main.seller_id, stack.clock.now()))
    stack.queues[SHIPMENTS].broken = True
    stack.clock.advance(HOUR.total_seconds())

    stack.deliver(SHIPMENTS)
    stack.deliver(ORDERS)

    assert stack.letters() == [(SHIPMENTS, "A")]
    assert len(stack.queues[ORDERS].bodies) == 1


def test_two_letters_of_one_order_in_a_batch_send_it_once() -> None:
    stack = AutomaticStack(shipped_order())
    (letter,) = stack.dead_letters[SHIPMENTS].kept
    stack.dead_letters[SHIPMENTS].move(letter.body, letter.reason)
    stack.clock.advance(HOUR.total_seconds())

    stack.deliver()

    assert (len(stack.queues[SHIPMENTS].bodies), stack.letters()) == (1, [])
