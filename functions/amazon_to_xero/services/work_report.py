"""What a step of the work did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepReport:
    """What reading or planning did.

    records: how many records were processed.
    due: keys of records that the next step should process although the index may not show them yet.
    documents: keys of the documents that changed; the poster posts them although the index may not show them yet.
    stopped: why not everything due was processed, a WaitReason or a FailureCode; empty when it was.
    """

    records: int = 0
    due: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    stopped: str = ""

    def plus(self, other: StepReport) -> StepReport:
        return StepReport(
            self.records + other.records,
            self.due + other.due,
            self.documents + other.documents,
            other.stopped or self.stopped,
        )


@dataclass(frozen=True)
class PostReport:
    """What posting did. `applied` and `failed` count documents; `stopped` as in StepReport."""

    applied: int = 0
    failed: int = 0
    stopped: str = ""

    def plus(self, other: PostReport) -> PostReport:
        return PostReport(self.applied + other.applied, self.failed + other.failed, other.stopped or self.stopped)
