"""Settings and secrets of connections: where they are read, how long they are cached, and what an error repeats."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from amazon_to_xero.adapters.aws.parameters import (
    ConnectionDocuments,
    SecretUnavailable,
    SecretUnreadable,
    SettingsUnavailable,
)
from fakes.settings import secrets, settings
from fakes.state import ManualClock, RecordingDecisionLog
from unit.parameter_store import CacheClock, FakeParameterStore

PATH, PREFIX = "/stack/connections", "stack/connections"


@pytest.fixture
def store() -> FakeParameterStore:
    return FakeParameterStore()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> CacheClock:
    return CacheClock(monkeypatch)


@pytest.fixture
def wall() -> ManualClock:
    return ManualClock()


@pytest.fixture
def decisions() -> RecordingDecisionLog:
    return RecordingDecisionLog()


@pytest.fixture
def documents(store: FakeParameterStore, wall: ManualClock, decisions: RecordingDecisionLog) -> ConnectionDocuments:
    return ConnectionDocuments(store, store, PATH, PREFIX, wall, lambda _: decisions)


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
    documents = ConnectionDocuments(
        store, store, f"{PATH}/", f"{PREFIX}/", ManualClock(), lambda _: RecordingDecisionLog()
    )

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
        with pytest.raises(SettingsUnavailable, match="no answer"):
            documents.settings()

    assert set(documents.settings()) == {"main", "second"}


# --- while AWS does not answer ----------------------------------------------------------------------------------------


class Function:
    """A warm function whose cached documents are older than five minutes."""

    def __init__(self, documents: ConnectionDocuments, store: FakeParameterStore, cache: CacheClock) -> None:
        self.documents = documents
        self.store = store
        self.cache = cache
        self.before = (documents.settings(), documents.secret("main"))
        store.requests.clear()

    def after(self, wall: ManualClock, minutes: float) -> tuple[dict[str, str], str]:
        """Return settings and secret as the function has them after some minutes."""
        wall.advance(minutes * 60)
        self.cache.advance(minutes * 60)
        return self.documents.settings(), self.documents.secret("main")


@pytest.fixture
def warm(documents: ConnectionDocuments, store: FakeParameterStore, clock: CacheClock) -> Function:
    return Function(documents, store, clock)


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "…"}}, "GetSecretValue")


OUTAGES = [error("ThrottlingException"), error("InternalServiceError"), ReadTimeoutError(endpoint_url="https://ssm")]
every_outage = pytest.mark.parametrize("problem", OUTAGES, ids=["throttled", "internal", "no answer"])


@every_outage
def test_warm_function_uses_for_an_hour_what_it_read_before(
    warm: Function, store: FakeParameterStore, wall: ManualClock, decisions: RecordingDecisionLog, problem: Exception
) -> None:
    store.problem = problem
    for minutes in (6, 10, 20, 20):
        assert warm.after(wall, minutes) == warm.before

    warnings = decisions.of("SETTINGS_UNAVAILABLE")
    assert len(warnings) == 8
    assert warnings[0]["problem"] in ("ThrottlingException", "InternalServiceError", "ReadTimeoutError")
    assert "S3CRET" not in repr(decisions.notes)

    with pytest.raises(SettingsUnavailable):
        warm.after(wall, 10)
    with pytest.raises(SecretUnavailable):
        warm.documents.secret("main")


def test_aws_is_asked_once_a_minute_while_it_does_not_answer(
    warm: Function, store: FakeParameterStore, wall: ManualClock
) -> None:
    """Each call that times out takes time from the function's work."""
    store.problem = error("ThrottlingException")
    warm.after(wall, 6)
    assert len(store.requests) == 2

    for _ in range(5):
        warm.after(wall, 0.1)
    assert len(store.requests) == 2

    warm.after(wall, 0.6)
    assert len(store.requests) == 4


def test_changed_documents_are_used_once_aws_answers_again(
    warm: Function, store: FakeParameterStore, wall: ManualClock
) -> None:
    store.problem = error("ThrottlingException")
    warm.after(wall, 6)
    store.problem = None
    store.parameters["main"], store.secrets["main"] = "changed settings", "changed secret"

    changed, secret = warm.after(wall, 2)

    assert (changed["main"], secret) == ("changed settings", "changed secret")


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "InvalidRequestException", "AccessDeniedException"])
def test_secret_that_was_deleted_or_forbidden_is_not_used_any_longer(
    warm: Function, store: FakeParameterStore, clock: CacheClock, code: str
) -> None:
    store.problem = error(code)
    clock.advance(301)

    for _ in range(2):
        with pytest.raises(SecretUnreadable, match=code):
            warm.documents.secret("main")


@every_outage
def test_cold_function_has_nothing_to_use(
    documents: ConnectionDocuments, store: FakeParameterStore, problem: Exception
) -> None:
    store.problem = problem

    with pytest.raises(SettingsUnavailable):
        documents.settings()
    with pytest.raises(SecretUnavailable):
        documents.secret("main")
