"""What makes a document an entry of its day: it is stated in the documents of its marketplace and day, with others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class DayEntry:
    """The day that an entry waits for. An entry is never written to Xero itself.

    marketplace_id: Amazon's, of the sale: entries of different marketplaces are stated apart.
    closes_at: from when on its day may be closed (UTC); until then its source may change it.
    """

    marketplace_id: str
    closes_at: datetime
