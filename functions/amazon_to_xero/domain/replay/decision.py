"""What becomes of one open failure: a pure function of its source's situation and of what was done before.

The automatic replay differs in three ways: it waits before each attempt, longer each time; it has a lower cap; and what
it cannot send for a day it stops, so that a person sees the letter in the queue of stopped letters.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from amazon_to_xero.domain.replay.record import ReplayAction, ReplayRecord

DEFAULT_CAP = 5  # how often a person's replays send one source in 14 days
#: What the automatic replay waits before each attempt, counted from the failure. Three attempts pass nine functions,
#: and Lambda ends a loop through its functions and queues after 16 (AWS: recursive loop detection).
AUTOMATIC_WAITS = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
LONGEST_LEFT = timedelta(days=1)  # that the automatic replay leaves a letter which it cannot send
_LEFT_AGAIN = timedelta(minutes=15)


class Situation(StrEnum):
    """What is known of the source of a failure at the moment of the replay."""

    FAILED = "FAILED"  # it, or a document of it, has failed
    DONE = "DONE"  # it needs nothing any more: planned and all documents in Xero, or without documents by rule
    UNDER_WAY = "UNDER_WAY"  # it is due, or a document of it is: whatever fails sends another letter
    NOT_STORED = "NOT_STORED"  # nothing is stored of it
    UNREADABLE = "UNREADABLE"  # the message is none that the queue takes
    REFUSED = "REFUSED"  # a correction that was refused: its author decides anew, it is never sent again
    UNCONNECTED = "UNCONNECTED"  # no connection of the stack has it, or its settings cannot be used


_EXPLANATIONS = {
    Situation.DONE: "needs nothing any more",
    Situation.UNDER_WAY: "is being processed",
    Situation.UNREADABLE: "the queue does not take the message",
    Situation.REFUSED: "the correction was refused: enter it anew, then delete the letter",
    Situation.UNCONNECTED: "no connection that can be used has it",
}


_NOT_REJECTED = "is no rejected message: replay or close it, or correct its source"
_REJECTED = "is a rejected message: replay discard deletes it"
_NOTHING_STORED = "nothing is stored of it: replay it"
_ON_ITS_WAY = "Xero may still process what was sent for it: close it once that is known"


@dataclass(frozen=True)
class Decision:
    """What is to be done with a failure, and why.

    again_at: when the automatic replay decides again (UTC); None unless it leaves the letter.
    """

    action: ReplayAction
    why: str
    again_at: datetime | None = None


def decide(situation: Situation, sent: int, cap: int) -> Decision:
    """Return what a person's replay does. `sent`: how often the source was sent lately, of at most `cap` times."""
    match situation:
        case Situation.DONE:
            return Decision(ReplayAction.DELETE, _EXPLANATIONS[situation])
        case Situation.UNDER_WAY | Situation.UNREADABLE | Situation.REFUSED | Situation.UNCONNECTED:
            return Decision(ReplayAction.LEAVE, _EXPLANATIONS[situation])
        case Situation.FAILED | Situation.NOT_STORED if sent >= cap:
            return Decision(ReplayAction.STOP, f"was sent {sent} times in 14 days and failed each time")
    return Decision(ReplayAction.SEND, "")


def decide_to_discard(situation: Situation, why: str) -> Decision:
    """Return what becomes of a failure where a person discards messages: only those that no replay would ever send."""
    if situation in (Situation.UNREADABLE, Situation.REFUSED):
        return Decision(ReplayAction.DELETE, why)
    return Decision(ReplayAction.LEAVE, _NOT_REJECTED)


def decide_to_close(
    situation: Situation, why: str, *, is_ours: bool, is_on_its_way: bool, other_codes: Collection[str]
) -> Decision:
    """Return what becomes of a failure where a person closes it: they have dealt with it otherwise.

    is_ours: whether it is a failed row, or the letter of a failure; not a message of Amazon's that nothing has read.
    is_on_its_way: whether something was sent to Xero for its source whose outcome is not known.
    other_codes: codes of its source that the person has not chosen, or has not seen.
    """
    match situation:
        case Situation.DONE:
            return Decision(ReplayAction.DELETE, _EXPLANATIONS[situation])
        case Situation.UNREADABLE | Situation.REFUSED:
            return Decision(ReplayAction.LEAVE, _REJECTED)
        case Situation.UNDER_WAY | Situation.UNCONNECTED:
            return Decision(ReplayAction.LEAVE, _EXPLANATIONS[situation])
        case Situation.NOT_STORED if not is_ours:
            return Decision(ReplayAction.LEAVE, _NOTHING_STORED)
    if is_on_its_way:
        return Decision(ReplayAction.LEAVE, _ON_ITS_WAY)
    if other_codes:
        codes = ", ".join(sorted(other_codes))
        why = f"has failed with {codes}, which was not chosen: use --source, without --code"
        return Decision(ReplayAction.LEAVE, why)
    return Decision(ReplayAction.CLOSE, why)


def decide_automatically(
    situation: Situation, record: ReplayRecord, failed_at: datetime, now: datetime, cap: int = len(AUTOMATIC_WAITS)
) -> Decision:
    """Return what the automatic replay does with a dead letter that was sent at `failed_at`."""
    sent = record.sent_lately(now)
    decision = decide(situation, sent, cap)
    if situation in (Situation.UNREADABLE, Situation.REFUSED):
        return Decision(ReplayAction.STOP, decision.why)
    if decision.action is ReplayAction.LEAVE:
        if now - failed_at >= LONGEST_LEFT:
            return Decision(ReplayAction.STOP, f"{decision.why}, for a day")
        return Decision(ReplayAction.LEAVE, decision.why, now + _LEFT_AGAIN)
    if decision.action is ReplayAction.SEND:
        last = record.last_sent
        due = max(failed_at, last.at if last else failed_at) + AUTOMATIC_WAITS[min(sent, len(AUTOMATIC_WAITS) - 1)]
        if now < due:
            return Decision(ReplayAction.LEAVE, "waits before it is sent again", due)
    return decision
