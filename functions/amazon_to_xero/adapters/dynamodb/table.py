"""The rows of the sync state in one DynamoDB table, through pynamodb. No other module knows the table.

    pk = CONNECTION#<id>    sk and the other attributes: see `rows` and `codecs`

Amounts are never stored as pynamodb's number attribute, which is a float. No operation scans.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from amazon_to_xero.adapters.dynamodb.codecs import CODECS
from amazon_to_xero.adapters.dynamodb.rows import Row, RowStateStore

_ROWS_AT_ONCE = 100  # DynamoDB: BatchGetItem
_WRITERS = 8


class DynamoStateStore(RowStateStore):
    """ports.StateStore for one connection. Reads by key are strongly consistent; the indexes may lag."""

    def __init__(self, table: str, connection: str, region: str, endpoint: str | None = None) -> None:
        super().__init__(connection, _DynamoTable(table, connection, region, endpoint), CODECS)


class _DynamoTable:
    """rows.Table over the items of one connection."""

    def __init__(self, table: str, connection: str, region: str, endpoint: str | None) -> None:
        self._item = _item_class(table, region, endpoint)
        self._pk = f"CONNECTION#{connection}"
        self._writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="dynamodb")

    def get(self, sort_keys: Sequence[str]) -> list[Row]:
        chunks = batched([(self._pk, sk) for sk in sort_keys], _ROWS_AT_ONCE, strict=False)
        items = self._writers.map(lambda chunk: list(self._item.batch_get(list(chunk), consistent_read=True)), chunks)
        return [
            Row(
                item.sk,
                item.generation,
                item.data,
                state=item.state or "",
                reason=item.reason or "",
                remedy=item.remedy or "",
                due=item.due or "",
                next_attempt_at=item.next_attempt_at or "",
                schema=item.schema or 1,
                watched=item.watched or "",
            )
            for chunk in items
            for item in chunk
        ]

    def put(self, rows: Sequence[Row]) -> list[bool]:
        return list(self._writers.map(self._put, rows))

    def due(self, due: str, until: str, limit: int) -> list[str]:
        items = self._item.index_due.query(
            due, self._item.next_attempt_at <= until, limit=limit, scan_index_forward=True
        )
        return [item.sk for item in items]

    def first_due(self, due: str) -> str:
        return next((str(item.next_attempt_at) for item in self._item.index_due.query(due, limit=1)), "")

    def watched(
        self, watched: str, limit: int, after: tuple[str, str] | None, reason: str = ""
    ) -> list[tuple[str, str]]:
        position = None
        if after is not None:
            key = {"watched": watched, "reason": after[1], "pk": self._pk, "sk": after[0]}
            position = {name: {"S": text} for name, text in key.items()}
        condition = self._item.reason == reason if reason else None
        items = self._item.index_watched.query(watched, condition, limit=limit, last_evaluated_key=position)
        return [(item.sk, item.reason) for item in items]

    def _put(self, row: Row) -> bool:
        texts = {
            "state": row.state,
            "reason": row.reason,
            "remedy": row.remedy,
            "due": row.due,
            "next_attempt_at": row.next_attempt_at,
            "watched": row.watched,
        }
        named = {name: text for name, text in texts.items() if text}
        item = self._item(self._pk, row.sk, generation=row.generation, data=row.data, schema=row.schema, **named)
        before = row.generation - 1
        unchanged = self._item.generation == before if before else self._item.sk.does_not_exist()
        try:
            item.save(condition=unchanged)
        except PutError as problem:
            if problem.cause_response_code == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _item_class(table: str, aws_region: str, endpoint: str | None) -> type[Any]:
    """Return the item class of one table: pynamodb binds a class to a table, and a process may use several tables."""

    class Item(Model):  # type: ignore[misc]
        class Meta:
            table_name = table
            region = aws_region
            host = endpoint
            # Together with the retries these fit into the function's time-out.
            connect_timeout_seconds = 1
            read_timeout_seconds = 3
            max_retry_attempts = 3
            max_pool_connections = _WRITERS + 2

        pk = UnicodeAttribute(hash_key=True)
        sk = UnicodeAttribute(range_key=True)
        index_due = _Due()
        index_watched = _Watched()
        due = UnicodeAttribute(null=True)
        next_attempt_at = UnicodeAttribute(null=True)
        generation = NumberAttribute(default=0)
        state = UnicodeAttribute(null=True)
        reason = UnicodeAttribute(null=True)
        remedy = UnicodeAttribute(null=True)
        data = UnicodeAttribute(default="{}")
        schema = NumberAttribute(default=1)
        watched = UnicodeAttribute(null=True)

    return Item


class _Due(GlobalSecondaryIndex):  # type: ignore[misc]
    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due = UnicodeAttribute(hash_key=True)
    next_attempt_at = UnicodeAttribute(range_key=True)


class _Watched(GlobalSecondaryIndex):  # type: ignore[misc]
    class Meta:
        index_name = "watched"
        projection = KeysOnlyProjection()

    watched = UnicodeAttribute(hash_key=True)
    reason = UnicodeAttribute(range_key=True)
