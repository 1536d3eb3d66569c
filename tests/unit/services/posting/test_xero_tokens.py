"""Access tokens: one refresh serves all workers, and no refresh token is lost with a killed worker or a lost answer."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from amazon_to_xero.ports.xero import TokenSet, XeroGrantRefused, XeroNotAuthorised, XeroOutcomeUnknown, XeroUnavailable
from amazon_to_xero.services.posting.tokens import XeroTokens
from fakes.state import NOON, ManualClock, MemoryStateStore, RecordingDecisionLog
from unit.services.interruptions import Killed

HALF_AN_HOUR = timedelta(minutes=30)
CONNECTED = NOON - timedelta(days=30)
CONNECTED_AGAIN = NOON


class RotatingIdentity:
    """ports.XeroIdentity that rotates refresh tokens; the previous one stays valid until the next is used.

    grants: the refresh token of each request, or client_credentials.
    lost_answers: how many answers are lost after Xero has rotated the token.
    refusal: Xero's code while it refuses every grant.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.valid = {"seed"}
        self.grants: list[str] = []
        self.lost_answers = 0
        self.refusal = ""

    def client_credentials(self) -> TokenSet:
        self.grants.append("client_credentials")
        return TokenSet(f"access-{len(self.grants)}", self.clock.now() + HALF_AN_HOUR)

    def refresh(self, refresh_token: str) -> TokenSet:
        self.grants.append(refresh_token)
        if self.refusal:
            raise XeroGrantRefused(self.refusal)
        if refresh_token not in self.valid:
            raise XeroGrantRefused("invalid_grant")
        new = f"refresh-{len(self.grants)}"
        self.valid = {refresh_token, new}  # the previous one repeats a refresh whose answer was lost
        if self.lost_answers:
            self.lost_answers -= 1
            raise XeroOutcomeUnknown("connectToken", None, "no answer")
        return TokenSet(f"access-{len(self.grants)}", self.clock.now() + HALF_AN_HOUR, new)


class ConnectionTokens:
    """The stored token of one connection, and workers that use it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.identity = RotatingIdentity(self.clock)
        self.decisions = RecordingDecisionLog()

    def worker(self, name: str = "w1", seed: str | None = "seed", connected_at: datetime | None = None) -> XeroTokens:
        return XeroTokens(self.identity, self.store, self.clock, self.decisions, name, seed, connected_at)

    def connect_again(self) -> XeroTokens:
        """Authorise the app once more; return a worker that has read the new secret."""
        self.identity.valid = {"new seed"}
        return self.worker("new", "new seed", CONNECTED_AGAIN)


@pytest.fixture
def tokens() -> ConnectionTokens:
    return ConnectionTokens()


def test_one_refresh_serves_many_calls_and_many_workers(tokens: ConnectionTokens) -> None:
    first, second = tokens.worker("w1"), tokens.worker("w2")

    assert {first.current(), first.current(), second.current(), tokens.worker("w3").current()} == {"access-1"}
    assert tokens.identity.grants == ["seed"]


def test_token_is_renewed_before_it_expires_with_the_rotated_refresh_token(tokens: ConnectionTokens) -> None:
    worker = tokens.worker()
    worker.current()
    tokens.clock.advance(29 * 60)

    assert worker.current() == "access-2"
    assert tokens.identity.grants == ["seed", "refresh-1"]


def test_token_that_xero_refused_is_renewed_once_for_all_workers_that_hold_it(tokens: ConnectionTokens) -> None:
    first, second = tokens.worker("w1"), tokens.worker("w2")
    first.current(), second.current()

    assert first.renewed("access-1") == "access-2"
    assert second.renewed("access-1") == "access-2"
    assert len(tokens.identity.grants) == 2


def test_token_is_unavailable_while_another_worker_renews_it(tokens: ConnectionTokens) -> None:
    held = tokens.store.acquire("xero-token", "other", tokens.clock.now(), tokens.clock.now() + timedelta(seconds=45))
    assert held

    with pytest.raises(XeroUnavailable, match="another worker"):
        tokens.worker().current()
    assert tokens.identity.grants == []

    tokens.clock.advance(46)  # its lease expired
    assert tokens.worker().current() == "access-1"


def test_lease_is_released_after_a_failed_renewal(tokens: ConnectionTokens) -> None:
    tokens.identity.lost_answers = 1
    with pytest.raises(XeroUnavailable):
        tokens.worker("w1").current()

    assert tokens.worker("w2").current() == "access-2"


def test_new_token_is_stored_before_it_is_used(tokens: ConnectionTokens) -> None:
    # Given a database that fails when the new token is stored
    def unreachable() -> None:
        if tokens.identity.grants:
            raise ConnectionError

    tokens.store.meanwhile(unreachable, unreachable, unreachable)

    with pytest.raises(ConnectionError):
        tokens.worker("w1").current()

    tokens.store.table.between.clear()
    tokens.clock.advance(60)
    assert tokens.worker("w2").current() == "access-2"
    assert tokens.store.cursor("xero-token").data["refresh_token"] == "refresh-2"


def test_refresh_token_of_a_worker_killed_before_storing_is_used_again(
    tokens: ConnectionTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = tokens.worker("w1")
    worker.current()
    tokens.clock.advance(29 * 60)
    refresh = tokens.identity.refresh

    def kill_after_the_answer(refresh_token: str) -> TokenSet:
        refresh(refresh_token)
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(tokens.identity, "refresh", kill_after_the_answer)
        worker.current()

    tokens.clock.advance(60)
    assert tokens.worker("w2").current() == "access-3"
    assert tokens.identity.grants == ["seed", "refresh-1", "refresh-1"]


def test_refresh_whose_answer_was_lost_is_repeated_with_the_same_refresh_token(tokens: ConnectionTokens) -> None:
    worker = tokens.worker()
    worker.current()
    tokens.clock.advance(29 * 60)
    tokens.identity.lost_answers = 1
    with pytest.raises(XeroUnavailable, match="no usable answer"):
        worker.current()

    assert worker.current() == "access-3"
    assert tokens.identity.grants[1:] == ["refresh-1", "refresh-1"]


def test_refresh_that_began_is_finished_when_no_call_needs_a_token(tokens: ConnectionTokens) -> None:
    # Given an answer that was lost during the last work of the day: in half an hour the old refresh token expires
    worker = tokens.worker()
    worker.current()
    tokens.clock.advance(29 * 60)
    tokens.identity.lost_answers = 1
    with pytest.raises(XeroUnavailable):
        worker.current()

    tokens.worker("resume").finish_renewal()
    tokens.worker("resume").finish_renewal()

    assert tokens.identity.grants == ["seed", "refresh-1", "refresh-1"]
    assert tokens.store.cursor("xero-token").data["refresh_token"] == "refresh-3"


def test_finish_renewal_makes_no_call_when_no_refresh_began(tokens: ConnectionTokens) -> None:
    tokens.worker().finish_renewal()
    tokens.worker().current()
    tokens.worker().finish_renewal()

    assert len(tokens.identity.grants) == 1


def test_refused_grant_is_logged_without_the_token_and_not_retried(tokens: ConnectionTokens) -> None:
    tokens.identity.refusal = "invalid_grant"

    with pytest.raises(XeroNotAuthorised) as caught:
        tokens.worker().current()

    (logged,) = tokens.decisions.of("XERO_GRANT_REFUSED")
    assert (logged["code"], logged["reason"]) == ("invalid_grant", "XERO_NOT_AUTHORISED")
    assert logged["remedy"] == "Authorise the app in Xero again: run connect xero."
    assert "seed" not in repr(tokens.decisions.notes) + str(caught.value)
    # A repeated request would be refused, too
    tokens.worker().finish_renewal()
    assert len(tokens.identity.grants) == 1


def test_new_seed_replaces_the_token_rotated_from_the_old_one(tokens: ConnectionTokens) -> None:
    tokens.worker(seed="seed").current()
    tokens.identity.refusal = "invalid_grant"
    with pytest.raises(XeroNotAuthorised):
        tokens.worker(seed="seed").renewed("access-1")

    # When the operator connects Xero again
    tokens.identity.refusal = ""
    tokens.identity.valid = {"new seed"}

    assert tokens.worker(seed="new seed").current() == "access-3"
    assert tokens.identity.grants[-1] == "new seed"


def test_worker_with_an_older_secret_uses_the_tokens_of_the_newer_one(tokens: ConnectionTokens) -> None:
    # Given a warm worker that keeps the secret of before, and one that has read the new secret
    stale = tokens.worker("stale", connected_at=CONNECTED)
    stale.current()
    renewed = tokens.connect_again()
    assert renewed.current() == "access-2"
    row = tokens.store.cursor("xero-token")

    # When Xero refuses the token that the warm worker holds
    assert stale.renewed("access-1") == "access-2"

    assert tokens.worker("cold", connected_at=CONNECTED).current() == "access-2"
    assert tokens.store.cursor("xero-token") == row
    assert tokens.identity.grants == ["seed", "new seed"]


def test_worker_with_an_older_secret_does_not_renew_the_tokens_of_the_newer_one(tokens: ConnectionTokens) -> None:
    stale = tokens.worker("stale", connected_at=CONNECTED)
    renewed = tokens.connect_again()
    renewed.current()
    tokens.clock.advance(29 * 60)
    row = tokens.store.cursor("xero-token")

    with pytest.raises(XeroUnavailable, match="earlier connect"):
        stale.current()
    stale.finish_renewal()

    assert tokens.store.cursor("xero-token") == row
    assert renewed.current() == "access-2"
    assert tokens.identity.grants == ["new seed", "refresh-1"]


def test_worker_with_an_older_secret_leaves_a_refresh_that_the_newer_one_began(tokens: ConnectionTokens) -> None:
    # Given the first refresh after connecting again, whose answer was lost
    stale = tokens.worker("stale", connected_at=CONNECTED)
    stale.current()
    renewed = tokens.connect_again()
    tokens.identity.lost_answers = 1
    with pytest.raises(XeroUnavailable):
        renewed.current()

    stale.finish_renewal()

    assert tokens.identity.grants == ["seed", "new seed"]
    renewed.finish_renewal()
    assert tokens.store.cursor("xero-token").data["refresh_token"] == "refresh-3"


def test_tokens_keep_the_time_of_the_newest_connect_with_their_seed(tokens: ConnectionTokens) -> None:
    """Connecting with the same refresh token, e.g. for a new client secret of Amazon, keeps the rotated one."""
    tokens.worker(connected_at=CONNECTED).current()
    tokens.worker(connected_at=CONNECTED_AGAIN).renewed("access-1")
    tokens.worker(connected_at=CONNECTED).renewed("access-2")

    assert tokens.identity.grants == ["seed", "refresh-1", "refresh-2"]
    assert tokens.store.cursor("xero-token").data["connected_at"] == CONNECTED_AGAIN.isoformat()


@pytest.mark.parametrize(("first", "second"), [(None, None), (CONNECTED, None), (None, CONNECTED)])
def test_other_seed_replaces_the_tokens_where_the_time_of_a_connect_is_unknown(
    tokens: ConnectionTokens, first: datetime | None, second: datetime | None
) -> None:
    tokens.worker(connected_at=first).current()
    tokens.identity.valid = {"new seed"}

    assert tokens.worker(seed="new seed", connected_at=second).current() == "access-2"
    assert tokens.identity.grants == ["seed", "new seed"]


def test_seed_is_not_stored(tokens: ConnectionTokens) -> None:
    tokens.worker(seed="seed").current()

    assert "seed" not in [text for row in tokens.store.table.written for text in row.data.split('"')[3::4]]


def test_custom_connection_uses_client_credentials_and_stores_no_refresh_token(tokens: ConnectionTokens) -> None:
    worker = tokens.worker(seed=None)

    assert worker.current() == worker.current() == tokens.worker("w2", seed=None).current() == "access-1"
    assert worker.renewed("access-1") == "access-2"
    assert tokens.identity.grants == ["client_credentials"] * 2
    assert "refresh_token" not in tokens.store.cursor("xero-token").data


def test_worker_whose_lease_expired_uses_the_token_that_another_worker_stored(
    tokens: ConnectionTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a worker that is frozen between Xero's answer and storing it, while another one renews the token
    worker, other = tokens.worker("w1", seed=None), tokens.worker("w2", seed=None)
    client_credentials = tokens.identity.client_credentials

    def answer_late() -> TokenSet:
        monkeypatch.undo()
        answer = client_credentials()
        tokens.clock.advance(60)
        other.current()
        return answer

    monkeypatch.setattr(tokens.identity, "client_credentials", answer_late)

    assert worker.current() == other.current() == "access-2"
