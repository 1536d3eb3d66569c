"""What the doctor finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from amazon_to_xero.domain.failures import FAILURES, FailureCode


class Severity(StrEnum):
    """How much does not work."""

    BROKEN = "broken"  # orders fail, or nothing is read or entered, until a person acts
    AT_RISK = "at risk"  # a part does not work, works late, or will fail
    NOTE = "note"  # worth knowing; nothing fails for it


class Side(StrEnum):
    """Where it was found."""

    AWS = "AWS"
    AMAZON = "Amazon"
    XERO = "Xero"
    CONNECTION = "connection"  # what the functions have stored of their own work


@dataclass(frozen=True)
class DoctorFinding:
    """Something that a person should know.

    what: what is wrong, with the names and numbers that it is about.
    remedy: what to do: it begins with a verb and names the place. Empty only for a note that asks for nothing.
    """

    severity: Severity
    side: Side
    what: str
    remedy: str = ""

    def as_data(self) -> Mapping[str, str]:
        return {"severity": self.severity, "side": self.side, "what": self.what, "remedy": self.remedy}


def of_failure(severity: Severity, side: Side, code: FailureCode) -> DoctorFinding:
    """Return a finding in the words that the table of failures has for a code."""
    info = FAILURES[code]
    return DoctorFinding(severity, side, f"{code}: {info.meaning}", info.remedy)
