"""What a step of the work did."""

from __future__ import annotations

from dataclasses import dataclass, replace


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
        if not (other.records or other.due or other.documents or other.stopped):
            return self
        return StepReport(
            self.records + other.records,
            self.due + other.due,
            self.documents + other.documents,
            other.stopped or self.stopped,
        )

    def without_stop(self) -> StepReport:
        return replace(self, stopped="") if self.stopped else self


@dataclass(frozen=True)
class PostReport:
    """What posting did. `applied` and `failed` count documents; `stopped` as in StepReport."""

    applied: int = 0
    failed: int = 0
    stopped: str = ""

    def plus(self, other: PostReport) -> PostReport:
        if not (other.applied or other.failed or other.stopped):
            return self
        return PostReport(self.applied + other.applied, self.failed + other.failed, other.stopped or self.stopped)

    def without_stop(self) -> PostReport:
        return replace(self, stopped="") if self.stopped else self
