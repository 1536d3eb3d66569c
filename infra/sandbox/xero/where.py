"""Xero's `where` language, as far as it is used in practice.

    Status=="AUTHORISED" && Contact.ContactID==Guid("…") && (Date>=DateTime(2026,11,1) || Reference.StartsWith("302-"))

Text is compared case-insensitively. Any other expression is rejected with QueryParseException, as Xero does, instead
of returning a list the caller did not ask for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from .books import Books
from .errors import UnreadableQuery
from .fields import Fields


def parse_where(text: str | None, fields: Fields) -> Condition | None:
    """Return the condition, or None for an empty text. Raise UnreadableQuery for an invalid expression."""
    return _parse(text, tuple(fields.types.items())) if text and text.strip() else None


def allowed_values(condition: Condition | None, field: str) -> list[str] | None:
    """Return the only values that the condition allows for a text field, or None if it allows any value.

    A caller can then look the values up in an index instead of scanning all records.
    """
    if isinstance(condition, Comparison):
        restricts = condition.field == field and condition.operator == "==" and isinstance(condition.value, str)
        return [condition.value] if restricts else None
    if condition is None:
        return None
    parts = [allowed_values(part, field) for part in condition.parts]
    if condition.requires_all:
        return next((part for part in parts if part is not None), None)
    if any(part is None for part in parts):
        return None
    return list(dict.fromkeys(value for part in parts for value in part or ()))


@dataclass(frozen=True)
class Comparison:
    """A field, in lower case, compared with a value."""

    field: str
    operator: str
    value: Any

    def matches(self, record: Any, fields: Fields, books: Books) -> bool:
        actual = fields.comparable_value(self.field, record, books)
        if self.operator in _METHODS:
            return isinstance(actual, str) and _METHODS[self.operator](actual, self.value)
        if actual is None or self.value is None:
            same = actual is None and self.value is None
            return same if self.operator == "==" else not same if self.operator == "!=" else False
        return _COMPARISONS[self.operator](actual, self.value)


@dataclass(frozen=True)
class Combination:
    """Conditions joined with && (`requires_all`) or with ||."""

    requires_all: bool
    parts: tuple[Condition, ...]

    def matches(self, record: Any, fields: Fields, books: Books) -> bool:
        results = (part.matches(record, fields, books) for part in self.parts)
        return all(results) if self.requires_all else any(results)


Condition = Comparison | Combination

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


@lru_cache(maxsize=1024)
def _parse(text: str, types: tuple[tuple[str, type], ...]) -> Condition:
    return _Parser(text, dict(types)).parse()


class _Parser:
    """A recursive-descent parser: || of && of comparisons and bracketed expressions."""

    def __init__(self, text: str, types: dict[str, type]) -> None:
        self.tokens = list(self._tokens_of(text))
        self.types = types
        self.position = 0

    @staticmethod
    def _tokens_of(text: str) -> Iterator[tuple[str, str]]:
        position = 0
        text = text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise UnreadableQuery(f"Syntax error (at index {position})")
            position = match.end()
            kind = str(match.lastgroup)
            yield kind, match[kind]

    def parse(self) -> Condition:
        condition = self._or_expression()
        if self.position != len(self.tokens):
            raise UnreadableQuery("Syntax error")
        return condition

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.position] if self.position < len(self.tokens) else ("end", "")

    def _take(self, symbol: str | None = None) -> tuple[str, str]:
        token = self._peek()
        if token[0] == "end" or (symbol is not None and token[1] != symbol):
            raise UnreadableQuery(f"{symbol or 'Expression'} expected")
        self.position += 1
        return token

    def _joined(self, part: Callable[[], Condition], symbol: str, word: str, *, requires_all: bool) -> Condition:
        parts = [part()]
        while self._peek()[1].lower() in {symbol, word}:
            self.position += 1
            parts.append(part())
        return parts[0] if len(parts) == 1 else Combination(requires_all, tuple(parts))

    def _or_expression(self) -> Condition:
        return self._joined(self._and_expression, "||", "or", requires_all=False)

    def _and_expression(self) -> Condition:
        return self._joined(self._term, "&&", "and", requires_all=True)

    def _term(self) -> Condition:
        if self._peek()[1] == "(":
            self._take("(")
            inner = self._or_expression()
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
        self.position += 1
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
                    # datetime itself checks the number of parts; Xero's DateTime has no time zone.
                    return datetime(*(int(part) for part in parts))  # type: ignore[arg-type]  # noqa: DTZ001
                except (ValueError, TypeError):
                    raise UnreadableQuery("DateTime takes a year, month and day") from None
        raise UnreadableQuery(f"No property or field '{text}' exists")
