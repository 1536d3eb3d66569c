"""What `correct` states of lines besides account and tax type, checked in Xero before it is sent.

Xero may leave out tracking that it does not know, and says nothing. The functions read tracking categories and items
only where the settings name some, so this is where a typing error is found.
"""

from __future__ import annotations

from collections.abc import Sequence

from amazon_to_xero.domain.books.organisation import Organisation
from amazon_to_xero.domain.books.organisation_lists import ListsToRead
from amazon_to_xero.domain.corrections import Correction, CorrectionKind
from amazon_to_xero.domain.failures import Failure
from amazon_to_xero.domain.planning.stated_lines import check_stated_line
from amazon_to_xero.domain.stated_tracking import NONE
from amazon_to_xero.services.posting.organisation_cache import stored_organisation
from operations.command_line.read_xero import xero_of
from operations.command_line.session import Session, UsageProblem


def check_in_xero(session: Session, made: Sequence[Correction]) -> None:
    """Raise UsageProblem for tracking or an item that the organisation lacks.

    Xero is asked where the functions have not read its tracking categories, or the item.
    """
    stated = [each for each in made if each.value != NONE]
    codes = frozenset(each.value for each in stated if each.kind is CorrectionKind.ITEM_CODE)
    lists = ListsToRead(any(each.kind is CorrectionKind.TRACKING for each in stated), codes)
    if ListsToRead().cover(lists):
        return
    organisation = _organisation(session, lists)
    for each in stated:
        try:
            check_stated_line(organisation, each)
        except Failure as failure:
            raise UsageProblem(failure.remedy) from None


def _organisation(session: Session, lists: ListsToRead) -> Organisation:
    stored = stored_organisation(session.store())
    return stored if stored is not None and stored.lists.cover(lists) else xero_of(session, lists).organisation()
