"""Keys of sources."""

from __future__ import annotations

import pytest

from amazon_to_xero.domain.amazon.order_record import OrderRecord
from amazon_to_xero.domain.source import SourceKind, SourceRecord, identity_of, source_key


def test_key_of_a_source_is_its_kind_and_its_identity() -> None:
    assert source_key(SourceKind.ORDER, "026-1234567-1234567") == "order#026-1234567-1234567"
    assert source_key(SourceKind.SETTINGS, "AMAZON-A1F83G8C2ARO7P") == "settings#AMAZON-A1F83G8C2ARO7P"


@pytest.mark.parametrize("kind", list(SourceKind))
@pytest.mark.parametrize("identity", ["026-1234567-1234567", "a#b"])
def test_identity_is_read_back_from_the_key(kind: SourceKind, identity: str) -> None:
    assert identity_of(source_key(kind, identity), kind) == identity


@pytest.mark.parametrize("source", ["", "order", "order#", "026-1234567-1234567", "settings#AMAZON-1", "orders#026-1"])
def test_key_of_another_kind_or_shape_has_no_order_id(source: str) -> None:
    assert identity_of(source, SourceKind.ORDER) is None


def test_order_record_is_a_source_record() -> None:
    record: SourceRecord = OrderRecord("026-1234567-1234567")

    assert (record.key, record.source) == ("026-1234567-1234567", "order#026-1234567-1234567")
    assert record.log_fields() == {"order_id": "026-1234567-1234567", "status": ""}
