"""Lists: the `where` language as far as it is used in practice, `order`, and pages.

    Status=="AUTHORISED" && Contact.ContactID==Guid("…") && (Date>=DateTime(2026,11,1) || Reference.StartsWith("302-"))

Text compares without regard to case. Anything else is refused as Xero refuses it, with QueryParseException, instead
of answering a list the caller did not ask for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from .books import Books, Contact, Document, Payment

Getter = Callable[[Any, Books], Any]


class UnreadableQuery(Exception):
    """A where, order or page Xero would not understand."""


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<symbol>&&|\|\||==|!=|<>|>=|<=|=|>|<|\(|\)|,)
      | (?P<word>[A-Za-z_][A-Za-z0-9_.]*)
    )""",
    re.VERBOSE,
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
_SPELLINGS = {"=": "==", "<>": "!="}
_METHODS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda a, b: b in a,
    "startswith": lambda a, b: a.startswith(b),
    "endswith": lambda a, b: a.endswith(b),
}


@dataclass(frozen=True)
class Comparison:
    field: str  # lower case
    operator: str
    value: Any

    def holds(self, record: Any, fields: dict[str, Getter], books: Books) -> bool:
        actual = _comparable(fields[self.field](record, books))
        if self.operator in _METHODS:
            return isinstance(actual, str) and _METHODS[self.operator](actual, self.value)
        if actual is None or self.value is None:
            same = actual is None and self.value is None
            return same if self.operator == "==" else not same if self.operator == "!=" else False
        return _COMPARISONS[self.operator](actual, self.value)


@dataclass(frozen=True)
class Combined:
    every: bool
    parts: tuple[Any, ...]

    def holds(self, record: Any, fields: dict[str, Getter], books: Books) -> bool:
        results = (part.holds(record, fields, books) for part in self.parts)
        return all(results) if self.every else any(results)


Condition = Comparison | Combined


def _comparable(value: Any) -> Any:
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 (a calendar day, compared with others)
    return value


class _Parser:
    def __init__(self, text: str, types: dict[str, type]) -> None:
        self.tokens = list(self._split(text))
        self.types = types
        self.at = 0

    @staticmethod
    def _split(text: str) -> Iterator[tuple[str, str]]:
        position = 0
        text = text.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise UnreadableQuery(f"Syntax error (at index {position})")
            position = found.end()
            kind = str(found.lastgroup)
            yield kind, found[kind]

    def parse(self) -> Condition:
        condition = self._any()
        if self.at != len(self.tokens):
            raise UnreadableQuery("Syntax error")
        return condition

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def _take(self, symbol: str | None = None) -> tuple[str, str]:
        token = self._peek()
        if token[0] == "end" or (symbol is not None and token[1] != symbol):
            raise UnreadableQuery(f"{symbol or 'Expression'} expected")
        self.at += 1
        return token

    def _joined(self, part: Callable[[], Condition], symbol: str, word: str, *, every: bool) -> Condition:
        parts = [part()]
        while self._peek()[1].lower() in {symbol, word}:
            self.at += 1
            parts.append(part())
        return parts[0] if len(parts) == 1 else Combined(every, tuple(parts))

    def _any(self) -> Condition:
        return self._joined(self._all, "||", "or", every=False)

    def _all(self) -> Condition:
        return self._joined(self._one, "&&", "and", every=True)

    def _one(self) -> Condition:
        if self._peek()[1] == "(":
            self._take("(")
            inner = self._any()
            self._take(")")
            return inner
        kind, name = self._take()
        if kind != "word":
            raise UnreadableQuery("Expression expected")
        field, _, method = name.rpartition(".")
        if method.lower() in _METHODS and field.lower() in self.types:
            self._take("(")
            value = self._value()
            self._take(")")
            if self.types[field.lower()] is not str or not isinstance(value, str):
                raise UnreadableQuery(f"No applicable method '{method}' exists")
            return Comparison(field.lower(), method.lower(), value)
        if name.lower() not in self.types:
            raise UnreadableQuery(f"No property or field '{name}' exists")
        operator = _SPELLINGS.get(self._peek()[1], self._peek()[1])
        if operator not in _COMPARISONS:
            raise UnreadableQuery("Operator expected")
        self.at += 1
        value = self._value()
        expected = self.types[name.lower()]
        if value is not None and not isinstance(value, expected):
            raise UnreadableQuery(
                f"Operator '{operator}' incompatible with operand types "
                f"'{expected.__name__}' and '{type(value).__name__}'"
            )
        return Comparison(name.lower(), operator, value)

    def _value(self) -> Any:
        kind, text = self._take()
        if kind == "text":
            return re.sub(r"\\(.)", r"\1", text[1:-1]).casefold()
        if kind == "number":
            return Decimal(text)
        match text.lower():
            case "true":
                return True
            case "false":
                return False
            case "null":
                return None
            case "guid":
                self._take("(")
                value = self._value()
                self._take(")")
                return value
            case "datetime":
                self._take("(")
                parts = [self._take()[1]]
                while self._peek()[1] == ",":
                    self._take(",")
                    parts.append(self._take()[1])
                self._take(")")
                try:
                    return datetime(*(int(part) for part in parts))  # type: ignore[arg-type]  # noqa: DTZ001
                except (ValueError, TypeError):
                    raise UnreadableQuery("DateTime takes a year, month and day") from None
        raise UnreadableQuery(f"No property or field '{text}' exists")


@dataclass(frozen=True)
class Fields:
    """What may be asked of one kind of record: name → how to read it and what it is."""

    getters: dict[str, Getter]
    types: dict[str, type]

    @classmethod
    def of(cls, **named: tuple[type, Getter]) -> Fields:
        lowered = {name.replace("__", ".").lower(): pair for name, pair in named.items()}
        return cls({name: pair[1] for name, pair in lowered.items()}, {name: pair[0] for name, pair in lowered.items()})


def _contact(record: Document, books: Books) -> Contact:
    return books.contacts[record.contact_id]


_DOCUMENT: dict[str, tuple[type, Getter]] = {
    "Type": (str, lambda d, b: d.type),
    "Status": (str, lambda d, b: d.status),
    "Reference": (str, lambda d, b: d.reference),
    "Date": (datetime, lambda d, b: d.date),
    "DueDate": (datetime, lambda d, b: d.due_date),
    "CurrencyCode": (str, lambda d, b: d.currency),
    "Total": (Decimal, lambda d, b: d.total),
    "SubTotal": (Decimal, lambda d, b: d.sub_total),
    "TotalTax": (Decimal, lambda d, b: d.total_tax),
    "UpdatedDateUTC": (datetime, lambda d, b: d.updated),
    "FullyPaidOnDate": (datetime, lambda d, b: d.fully_paid_on),
    "SentToContact": (bool, lambda d, b: d.sent_to_contact),
    "Contact__ContactID": (str, lambda d, b: d.contact_id),
    "Contact__ContactNumber": (str, lambda d, b: _contact(d, b).number),
    "Contact__Name": (str, lambda d, b: _contact(d, b).name),
}
INVOICES = Fields.of(
    **_DOCUMENT,
    InvoiceID=(str, lambda d, b: d.id),
    InvoiceNumber=(str, lambda d, b: d.number),
    AmountDue=(Decimal, lambda d, b: d.outstanding),
    AmountPaid=(Decimal, lambda d, b: d.paid),
    AmountCredited=(Decimal, lambda d, b: d.credited),
)
CREDIT_NOTES = Fields.of(
    **_DOCUMENT,
    CreditNoteID=(str, lambda d, b: d.id),
    CreditNoteNumber=(str, lambda d, b: d.number),
    RemainingCredit=(Decimal, lambda d, b: d.outstanding),
)
CONTACTS = Fields.of(
    ContactID=(str, lambda c, b: c.id),
    ContactNumber=(str, lambda c, b: c.number),
    ContactStatus=(str, lambda c, b: c.status),
    Name=(str, lambda c, b: c.name),
    FirstName=(str, lambda c, b: c.fields.get("FirstName")),
    LastName=(str, lambda c, b: c.fields.get("LastName")),
    EmailAddress=(str, lambda c, b: c.fields.get("EmailAddress")),
    AccountNumber=(str, lambda c, b: c.fields.get("AccountNumber")),
    IsCustomer=(bool, lambda c, b: c.is_customer),
    IsSupplier=(bool, lambda c, b: c.is_supplier),
    UpdatedDateUTC=(datetime, lambda c, b: c.updated),
)


def _paid(record: Payment, books: Books) -> Document:
    return books.document(record.document_id)


PAYMENTS = Fields.of(
    PaymentID=(str, lambda p, b: p.id),
    Date=(datetime, lambda p, b: p.date),
    Amount=(Decimal, lambda p, b: p.amount),
    Reference=(str, lambda p, b: p.reference),
    Status=(str, lambda p, b: p.status),
    PaymentType=(str, lambda p, b: p.type),
    IsReconciled=(bool, lambda p, b: p.is_reconciled),
    UpdatedDateUTC=(datetime, lambda p, b: p.updated),
    Account__AccountID=(str, lambda p, b: p.account_id),
    Account__Code=(str, lambda p, b: b.accounts[p.account_id].get("Code")),
    Invoice__InvoiceID=(str, lambda p, b: p.document_id),
    Invoice__InvoiceNumber=(str, lambda p, b: _paid(p, b).number),
    Invoice__Contact__ContactID=(str, lambda p, b: _paid(p, b).contact_id),
)
ITEMS = Fields.of(
    ItemID=(str, lambda i, b: i.id),
    Code=(str, lambda i, b: i.code),
    Name=(str, lambda i, b: i.fields.get("Name")),
    UpdatedDateUTC=(datetime, lambda i, b: i.updated),
)


def _setting(key: str) -> Getter:
    return lambda record, books: record.get(key)


ACCOUNTS = Fields.of(
    **{
        key: (str, _setting(key))
        for key in ("AccountID", "Code", "Name", "Type", "Status", "Class", "TaxType", "SystemAccount", "CurrencyCode")
    },
    EnablePaymentsToAccount=(bool, _setting("EnablePaymentsToAccount")),
)
TAX_RATES = Fields.of(
    **{key: (str, _setting(key)) for key in ("Name", "TaxType", "Status", "ReportTaxType")},
    CanApplyToRevenue=(bool, _setting("CanApplyToRevenue")),
    EffectiveRate=(Decimal, _setting("EffectiveRate")),
)
CURRENCIES = Fields.of(Code=(str, _setting("Code")), Description=(str, _setting("Description")))


@lru_cache(maxsize=1024)
def _parsed(text: str, types: tuple[tuple[str, type], ...]) -> Condition:
    return _Parser(text, dict(types)).parse()


def condition(text: str | None, fields: Fields) -> Condition | None:
    """Raises UnreadableQuery."""
    return _parsed(text, tuple(fields.types.items())) if text and text.strip() else None


def allowed_values(wanted: Condition | None, field: str) -> list[str] | None:
    """The only values the condition allows for a text field, so that an index can stand in for the whole list.

    None: the condition does not narrow the field down.
    """
    if isinstance(wanted, Comparison):
        named = wanted.field == field and wanted.operator == "==" and isinstance(wanted.value, str)
        return [wanted.value] if named else None
    if wanted is None:
        return None
    parts = [allowed_values(part, field) for part in wanted.parts]
    if wanted.every:
        return next((part for part in parts if part is not None), None)
    if any(part is None for part in parts):
        return None
    return list(dict.fromkeys(value for part in parts for value in part or ()))


def ordered(records: list[Any], text: str | None, fields: Fields, books: Books) -> list[Any]:
    """By `Field`, `Field DESC` or several with commas; ties keep the order of creation."""
    for part in reversed([part for part in (text or "").split(",") if part.strip()]):
        name, _, direction = part.strip().partition(" ")
        getter = fields.getters.get(name.lower())
        if getter is None or direction.strip().upper() not in {"", "ASC", "DESC"}:
            raise UnreadableQuery(f"No property or field '{part.strip()}' exists")

        def key(record: Any, read: Getter = getter) -> tuple[bool, Any]:
            value = _comparable(read(record, books))
            return (value is not None, value if value is not None else 0)

        records = sorted(records, key=key, reverse=direction.strip().upper() == "DESC")
    return records


def page_of(records: list[Any], page: str | None, page_size: str | None) -> tuple[list[Any], dict[str, int]]:
    """One page (from 1; 100 records unless told, at most 1000) and Xero's `pagination` object."""
    try:
        number, size = int(page or 1), int(page_size or 100)
    except ValueError:
        raise UnreadableQuery("page and pageSize must be whole numbers") from None
    if number < 1:
        raise UnreadableQuery("page must be greater than 0")
    if not 1 <= size <= 1000:
        raise UnreadableQuery("pageSize must be between 1 and 1000")
    start = (number - 1) * size
    pages = -(-len(records) // size)
    return records[start : start + size], {
        "page": number,
        "pageSize": size,
        "pageCount": pages,
        "itemCount": len(records),
    }
