"""What a correction may state: whether it has what its kind needs, before it is recorded.

Whether it can be applied, such as whether Xero has the account, is found out in `domain.planning`.
"""

from __future__ import annotations

import re
from datetime import date

from amazon_to_xero.domain.corrections import OF_LINES, Correction, CorrectionKind, refused, shipment_line
from amazon_to_xero.domain.stated_tracking import tracking_in

MAX_REASON = 500
MAX_KEY = 220  # of a document
CONTACT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHIPMENT = re.compile(r"shipment [1-9]\d{0,3}")  # as shipment_line writes it
_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 12, 31)

_WITHOUT_VALUE = frozenset({CorrectionKind.SKIP, CorrectionKind.BOOK_AS_IT_IS, CorrectionKind.REBOOK})
#: The most characters of a value: Xero: TaxType, Account.Code, two TrackingCategories with options, Item.Code.
_MAX_OF_LINE = {
    CorrectionKind.TAX_TYPE: 50,
    CorrectionKind.ACCOUNT: 10,
    CorrectionKind.TRACKING: 404,
    CorrectionKind.ITEM_CODE: 30,
    CorrectionKind.DESCRIPTION: 500,  # less than Xero takes: all entries of a source are one row
}


def checked(correction: Correction) -> Correction:
    """Return the correction. Raises Failure with CORRECTION_REFUSED for one that states nothing that could apply."""
    kind, value = correction.kind, correction.value
    if not correction.reason.strip() or len(correction.reason) > MAX_REASON:
        raise refused(f"reason should have 1 to {MAX_REASON} characters")
    if not correction.author.strip():
        raise refused("author is missing")
    _check_line(correction)
    if kind in _WITHOUT_VALUE and value:
        raise refused(f"a correction of kind {kind} has no value, and this one has {value!r}")
    _check_terms(correction)
    if kind is CorrectionKind.DATE:
        _check_day(value)
    elif kind is CorrectionKind.WITHDRAW and not (value.isascii() and value.isdigit()):
        raise refused(f"value should be the number of the withdrawn correction and is {value!r}")
    elif kind is CorrectionKind.AS_IN_XERO and not 0 < len(value) <= MAX_KEY:
        raise refused("value should be the key of a document")
    elif kind is CorrectionKind.CONTACT and not CONTACT_ID.fullmatch(value):
        raise refused("value should be Xero's ContactID, in small letters")
    elif kind in OF_LINES:
        _check_value_of_line(kind, value)
    return correction


def _check_line(correction: Correction) -> None:
    kind, line = correction.kind, correction.line
    if kind is CorrectionKind.DATE and line and not _SHIPMENT.fullmatch(line):
        raise refused(f"line should be empty or a shipment such as {shipment_line(2)!r} and is {line!r}")
    if line and kind not in OF_LINES and kind is not CorrectionKind.DATE:
        raise refused(f"a correction of kind {kind} concerns all lines, so line should be empty")


def _check_terms(correction: Correction) -> None:
    """Raise Failure for terms of another kind than REBOOK, for a REBOOK without any, and for a code that cannot be."""
    kind, terms = correction.kind, correction.terms
    if bool(terms) is not (kind is CorrectionKind.REBOOK):
        raise refused(f"terms should state the lines of a correction of kind {CorrectionKind.REBOOK}, and of no other")
    if len({each.line for each in terms}) < len(terms) or not all(each.line for each in terms):
        raise refused("terms should name each line once")
    for each in terms:
        for of_kind, code in ((CorrectionKind.ACCOUNT, each.account), (CorrectionKind.TAX_TYPE, each.tax_type)):
            if code:
                _check_value_of_line(of_kind, code)


def _check_day(value: str) -> None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise refused(f"value should be a day such as 2026-11-04 and is {value!r}") from None
    if not _EARLIEST <= day <= _LATEST:
        raise refused(f"value should be a day from {_EARLIEST} to {_LATEST} and is {value}")


def _check_value_of_line(kind: CorrectionKind, value: str) -> None:
    limit = _MAX_OF_LINE[kind]
    is_code = kind in (CorrectionKind.ACCOUNT, CorrectionKind.TAX_TYPE)
    if not value.strip() or len(value) > limit or (is_code and not value.isascii()):
        shown = "" if kind is CorrectionKind.DESCRIPTION else f" and is {value!r}"  # it may name the buyer
        raise refused(f"value should be Xero's {kind} with 1 to {limit} characters{shown}")
    if kind is CorrectionKind.TRACKING:
        try:
            tracking_in(value)
        except ValueError as problem:
            raise refused(f"value should be such as 'Region=North; Channel=FBA' and is {value!r}: {problem}") from None
