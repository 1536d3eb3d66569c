"""Access tokens: one refresh whoever asks, nothing lost when a worker dies or an answer does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from amazon_to_xero.ports.xero import TokenSet, XeroGrantRefused, XeroNotAuthorised, XeroOutcomeUnknown, XeroUnavailable
from amazon_to_xero.services.posting.tokens import XeroTokens
from fakes.state import ManualClock, MemoryStateStore, RecordingDecisionLog

HALF_AN_HOUR = timedelta(minutes=30)


class Identity:
    """ports.XeroIdentity: rotates refresh tokens; the one before stays good for half an hour."""

    def __init__(self, clock: ManualClock, seed: str = "seed") -> None:
        self.clock = clock
        self.good = {seed}
        self.asked: list[str] = []
        self.lost_answers = 0
        self.refused = ""

    def client_credentials(self) -> TokenSet:
        self.asked.append("client_credentials")
        return TokenSet(f"access-{len(self.asked)}", self.clock.now() + HALF_AN_HOUR)

    def refresh(self, refresh_token: str) -> TokenSet:
        self.asked.append(refresh_token)
        if self.refused:
            raise XeroGrantRefused(self.refused)
        if refresh_token not in self.good:
            raise XeroGrantRefused("invalid_grant")
        new = f"refresh-{len(self.asked)}"
        self.good = {refresh_token, new}  # the grace for a lost answer
        if self.lost_answers:
            self.lost_answers -= 1
            raise XeroOutcomeUnknown("connectToken", None, "no answer")
        return TokenSet(f"access-{len(self.asked)}", self.clock.now() + HALF_AN_HOUR, new)


class Tokens:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStateStore(self.clock)
        self.identity = Identity(self.clock)
        self.decisions = RecordingDecisionLog()

    def worker(self, name: str = "w1", seed: str | None = "seed") -> XeroTokens:
        return XeroTokens(self.identity, self.store, self.clock, self.decisions, name, seed)


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


def test_one_refresh_serves_many_calls_and_many_workers(tokens: Tokens) -> None:
    first, second = tokens.worker("w1"), tokens.worker("w2")

    assert {first.current(), first.current(), second.current(), tokens.worker("w3").current()} == {"access-1"}
    assert tokens.identity.asked == ["seed"]


def test_a_token_is_renewed_before_it_ends_with_the_rotated_refresh_token(tokens: Tokens) -> None:
    worker = tokens.worker()
    worker.current()
    tokens.clock.advance(29 * 60)

    assert worker.current() == "access-2"
    assert tokens.identity.asked == ["seed", "refresh-1"]


def test_a_token_that_xero_refused_is_renewed_once_for_all_who_held_it(tokens: Tokens) -> None:
    first, second = tokens.worker("w1"), tokens.worker("w2")
    first.current(), second.current()

    assert first.renewed("access-1") == "access-2"
    assert second.renewed("access-1") == "access-2"
    assert len(tokens.identity.asked) == 2


def test_whoever_finds_another_worker_renewing_tries_later(tokens: Tokens) -> None:
    held = tokens.store.acquire("xero-token", "other", tokens.clock.now(), tokens.clock.now() + timedelta(seconds=45))
    assert held

    with pytest.raises(XeroUnavailable, match="another worker"):
        tokens.worker().current()
    assert tokens.identity.asked == []

    tokens.clock.advance(46)  # it died
    assert tokens.worker().current() == "access-1"


def test_the_lease_is_given_back_also_after_a_failure(tokens: Tokens) -> None:
    tokens.identity.lost_answers = 1
    with pytest.raises(XeroUnavailable):
        tokens.worker("w1").current()

    assert tokens.worker("w2").current() == "access-2"


def test_a_new_token_is_stored_before_it_is_used(tokens: Tokens) -> None:
    # Given a database that fails just when the new token should be kept
    def unreachable() -> None:
        if tokens.identity.asked:
            raise ConnectionError

    tokens.store.meanwhile(unreachable, unreachable, unreachable)

    with pytest.raises(ConnectionError):
        tokens.worker("w1").current()

    tokens.store.table.between.clear()
    tokens.clock.advance(60)
    assert tokens.worker("w2").current() == "access-2"
    assert tokens.store.cursor("xero-token").data["refresh_token"] == "refresh-2"


def test_a_worker_killed_before_storing_leaves_the_old_refresh_token_which_still_works(tokens: Tokens) -> None:
    class Killed(BaseException):
        pass

    worker = tokens.worker("w1")
    worker.current()
    tokens.clock.advance(29 * 60)
    plain = tokens.identity.refresh

    def killed_after_the_answer(refresh_token: str) -> TokenSet:
        plain(refresh_token)
        raise Killed

    tokens.identity.refresh = killed_after_the_answer  # type: ignore[method-assign]
    with pytest.raises(Killed):
        worker.current()
    tokens.identity.refresh = plain  # type: ignore[method-assign]

    tokens.clock.advance(60)
    assert tokens.worker("w2").current() == "access-3"
    assert tokens.identity.asked == ["seed", "refresh-1", "refresh-1"]


def test_a_lost_answer_is_repeated_with_the_same_refresh_token(tokens: Tokens) -> None:
    worker = tokens.worker()
    worker.current()
    tokens.clock.advance(29 * 60)
    tokens.identity.lost_answers = 1
    with pytest.raises(XeroUnavailable, match="no usable answer"):
        worker.current()

    assert worker.current() == "access-3"
    assert tokens.identity.asked[1:] == ["refresh-1", "refresh-1"]


def test_a_refresh_that_was_begun_is_finished_also_when_nobody_needs_a_token(tokens: Tokens) -> None:
    # Given an answer that was lost with the last work of the day: in half an hour the old refresh token dies
    worker = tokens.worker()
    worker.current()
    tokens.clock.advance(29 * 60)
    tokens.identity.lost_answers = 1
    with pytest.raises(XeroUnavailable):
        worker.current()

    tokens.worker("resume").finish_renewal()
    tokens.worker("resume").finish_renewal()

    assert tokens.identity.asked == ["seed", "refresh-1", "refresh-1"]
    assert tokens.store.cursor("xero-token").data["refresh_token"] == "refresh-3"


def test_finishing_what_was_never_begun_asks_xero_nothing(tokens: Tokens) -> None:
    tokens.worker().finish_renewal()
    tokens.worker().current()
    tokens.worker().finish_renewal()

    assert len(tokens.identity.asked) == 1


def test_a_refused_grant_is_for_a_person_and_is_said_without_the_token(tokens: Tokens) -> None:
    tokens.identity.refused = "invalid_grant"

    with pytest.raises(XeroNotAuthorised) as caught:
        tokens.worker().current()

    (said,) = tokens.decisions.of("XERO_GRANT_REFUSED")
    assert (said["code"], said["remedy"]) == ("invalid_grant", "connect Xero again")
    assert "seed" not in repr(tokens.decisions.notes) + str(caught.value)
    # Asking again and again would not help
    tokens.worker().finish_renewal()
    assert len(tokens.identity.asked) == 1


def test_a_new_seed_replaces_whatever_was_rotated_from_the_old_one(tokens: Tokens) -> None:
    tokens.worker(seed="seed").current()
    tokens.identity.refused = "invalid_grant"
    with pytest.raises(XeroNotAuthorised):
        tokens.worker(seed="seed").renewed("access-1")

    # When the operator connects again
    tokens.identity.refused = ""
    tokens.identity.good = {"new seed"}

    assert tokens.worker(seed="new seed").current() == "access-3"
    assert tokens.identity.asked[-1] == "new seed"


def test_the_seed_itself_is_not_stored(tokens: Tokens) -> None:
    tokens.worker(seed="seed").current()

    assert "seed" not in [text for row in tokens.store.table.written for text in row.data.split('"')[3::4]]


def test_a_custom_connection_asks_with_its_client_and_rotates_nothing(tokens: Tokens) -> None:
    worker = tokens.worker(seed=None)

    assert worker.current() == worker.current() == tokens.worker("w2", seed=None).current() == "access-1"
    assert worker.renewed("access-1") == "access-2"
    assert tokens.identity.asked == ["client_credentials"] * 2
    assert "refresh_token" not in tokens.store.cursor("xero-token").data


def test_whoever_was_overtaken_takes_the_token_that_was_stored(tokens: Tokens) -> None:
    # Given a worker frozen between Xero's answer and the store, while another one renews
    worker, other = tokens.worker("w1", seed=None), tokens.worker("w2", seed=None)
    plain = tokens.identity.client_credentials

    def slow() -> TokenSet:
        tokens.identity.client_credentials = plain  # type: ignore[method-assign]
        answer = plain()
        tokens.clock.advance(60)
        other.current()
        return answer

    tokens.identity.client_credentials = slow  # type: ignore[method-assign]

    assert worker.current() == other.current() == "access-2"
