"""The corrections that sources are planned with: loaded together for a chunk, and only for sources that have any."""

from __future__ import annotations

from typing import Protocol

from amazon_to_xero.domain.corrections import Corrections
from amazon_to_xero.domain.failures import Failure, FailureCode
from amazon_to_xero.ports.state import RecordStore
from amazon_to_xero.services.planning.loaded_together import LoadedTogether


class CorrectedRecord(Protocol):
    """A record that says how many corrections its source has. See OrderRecord."""

    @property
    def source(self) -> str: ...

    @property
    def corrections(self) -> int: ...


class SourceCorrections:
    """The corrections of the sources of one connection."""

    def __init__(self, store: RecordStore) -> None:
        self._together = LoadedTogether(store)

    def expect(self, record: CorrectedRecord) -> None:
        """Load the record's corrections together with those of the others of its chunk, if it has any."""
        if record.corrections:
            self._together.expect(Corrections, record.source)

    def of(self, record: CorrectedRecord) -> Corrections:
        """Return the corrections that the record counts; later ones are planned once it counts them, too.

        Raises Failure with CORRECTION_UNUSABLE where they are not stored: the source is never planned without them.
        """
        none = Corrections(record.source)
        if not record.corrections:
            return none
        row = self._together.load(Corrections, [record.source]).get(record.source, none)
        if len(row.entries) < record.corrections:
            raise Failure(
                FailureCode.CORRECTION_UNUSABLE,
                f"{record.source} has {record.corrections} corrections, and {len(row.entries)} are in the table. "
                f"Restore the row CORRECTION#{record.source} from a backup of the table, then reprocess the source.",
            )
        return row.first(record.corrections)
