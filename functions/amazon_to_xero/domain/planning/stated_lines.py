"""What a person has stated about lines besides account and tax type: their tracking, item code and description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from amazon_to_xero.domain.books.line import DESCRIPTION_LIMIT, Line
from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.books.texts import xero_text
from amazon_to_xero.domain.corrections import Correction, CorrectionKind, Corrections, unusable, value_for
from amazon_to_xero.domain.stated_tracking import NONE, tracking_in


@dataclass(frozen=True)
class StatedLines:
    """Line -> what is stated of it, each as `corrections.value_for` reads it.

    tracking: as `tracking_in` reads it.
    item_codes: code of the organisation's item, or `none`.
    descriptions: texts.
    """

    tracking: Mapping[str, str] = field(default_factory=dict)
    item_codes: Mapping[str, str] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)

    def of(self, line: Line) -> Line:
        """Return the line as it is stated. Its amount, account and tax type stay."""
        tracking, item_code, description = (
            value_for(line.origin, stated) for stated in (self.tracking, self.item_codes, self.descriptions)
        )
        return replace(
            line,
            tracking=tracking_in(tracking) if tracking else line.tracking,
            item_code="" if item_code == NONE else item_code or line.item_code,
            description=xero_text(description, DESCRIPTION_LIMIT) if description else line.description,
        )


def stated_lines(corrections: Corrections) -> StatedLines:
    """Return what applies."""
    return StatedLines(
        corrections.by_line(CorrectionKind.TRACKING),
        corrections.by_line(CorrectionKind.ITEM_CODE),
        corrections.by_line(CorrectionKind.DESCRIPTION),
    )


def check_stated_line(organisation: Organisation, correction: Correction) -> None:
    """Raise Failure with CORRECTION_UNUSABLE for tracking or an item that the organisation lacks.

    Only as far as that was read, which is where the settings name tracking or items. The command `correct` asks Xero.
    """
    if correction.kind is CorrectionKind.TRACKING and organisation.lists.tracking:
        for category, option in tracking_in(correction.value):
            if option not in organisation.tracking.get(category, ()):
                problem = f"the organisation has no active tracking category {category} with an active option {option}"
                raise unusable(correction, problem)
    if correction.kind is CorrectionKind.ITEM_CODE and correction.value in organisation.lists.item_codes:
        item = organisation.items.get(correction.value)
        if item is None or item.stock_is_tracked:
            problem = "has no item" if item is None else "tracks the stock of item"
            raise unusable(correction, f"the organisation {problem} {correction.value}")
