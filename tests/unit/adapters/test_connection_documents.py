"""Settings and secrets of connections: where they are read, how long they are cached, and what an error repeats."""

from __future__ import annotations

import json

import pytest
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

from amazon_to_xero.adapters.aws.parameters import ConnectionDocuments, SecretUnreadable
from fakes.settings import secrets, settings
from unit.parameter_store import CacheClock, FakeParameterStore

PATH, PREFIX = "/stack/connections", "stack/connections"


@pytest.fixture
def store() -> FakeParameterStore:
    return FakeParameterStore()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> CacheClock:
    return CacheClock(monkeypatch)


@pytest.fixture
def documents(store: FakeParameterStore) -> ConnectionDocuments:
    return ConnectionDocuments(store, store, PATH, PREFIX)


def test_settings_of_all_connections_are_read_by_their_path_under_the_connections_names(
    documents: ConnectionDocuments, store: FakeParameterStore
) -> None:
    assert documents.settings() == {name: json.dumps(settings()) for name in ("main", "second")}
    assert store.requests == [("get_parameters_by_path", PATH)]


def test_secret_is_read_by_its_prefix_and_the_connection_s_name(
    documents: ConnectionDocuments, store: FakeParameterStore
) -> None:
    assert documents.secret("second") == json.dumps(secrets())
    assert store.requests == [("get_secret_value", f"{PREFIX}/second")]


def test_slash_at_the_end_of_path_or_prefix_changes_nothing(store: FakeParameterStore) -> None:
    documents = ConnectionDocuments(store, store, f"{PATH}/", f"{PREFIX}/")

    documents.settings()
    documents.secret("main")

    assert store.requests == [("get_parameters_by_path", PATH), ("get_secret_value", f"{PREFIX}/main")]


def test_documents_are_read_again_after_five_minutes(
    documents: ConnectionDocuments, store: FakeParameterStore, clock: CacheClock
) -> None:
    before = (documents.settings(), documents.secret("main"))
    store.parameters["main"], store.secrets["main"] = "changed settings", "changed secret"

    clock.advance(299)
    assert (documents.settings(), documents.secret("main")) == before
    assert len(store.requests) == 2

    clock.advance(2)
    assert (documents.settings()["main"], documents.secret("main")) == ("changed settings", "changed secret")
    assert len(store.requests) == 4


def test_missing_secret_is_unreadable_and_only_the_error_of_aws_is_repeated(
    documents: ConnectionDocuments, store: FakeParameterStore
) -> None:
    del store.secrets["main"]

    with pytest.raises(SecretUnreadable, match="ResourceNotFoundException") as caught:
        documents.secret("main")

    assert "S3CRET" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert documents.secret("second")


def test_missing_secret_is_found_as_soon_as_it_is_stored(
    documents: ConnectionDocuments, store: FakeParameterStore
) -> None:
    stored = store.secrets.pop("main")
    with pytest.raises(SecretUnreadable):
        documents.secret("main")

    store.secrets["main"] = stored

    assert documents.secret("main") == stored


def test_unreachable_parameter_store_raises_and_is_tried_again(
    documents: ConnectionDocuments, store: FakeParameterStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(operation: str) -> FakeParameterStore:
        raise ConnectionError("no answer")

    with monkeypatch.context() as outage:
        outage.setattr(store, "get_paginator", unreachable)
        with pytest.raises(GetParameterError):
            documents.settings()

    assert set(documents.settings()) == {"main", "second"}
