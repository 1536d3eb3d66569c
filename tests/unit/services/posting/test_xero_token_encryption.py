"""Xero's tokens are stored encrypted; a key that is away or refused loses none of them and is not asked in a loop."""

from __future__ import annotations

import pytest

from amazon_to_xero.ports.encryption import KeyRefused, KeyUnavailable
from amazon_to_xero.ports.state import Cursor
from amazon_to_xero.ports.xero import TokenSet, XeroTokensUnreadable, XeroUnavailable
from amazon_to_xero.services.posting.tokens import XeroTokens
from unit.services.posting.test_xero_tokens import CONNECTED_AGAIN, ConnectionTokens


class ReversedText:
    """ports.Encryption that turns a text round, and is refused or unavailable while `problem` is set."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.calls = 0

    def encrypt(self, text: str) -> str:
        return self._reversed(text)

    def decrypt(self, encrypted: str) -> str:
        return self._reversed(encrypted)

    def _reversed(self, text: str) -> str:
        self.calls += 1
        if self.problem:
            raise self.problem
        return text[::-1]


class EncryptedTokens(ConnectionTokens):
    """The stored token of one connection, and workers that encrypt it."""

    def __init__(self) -> None:
        super().__init__()
        self.key = ReversedText()

    def encrypting(self, name: str = "w1", seed: str | None = "seed") -> XeroTokens:
        connected_at = CONNECTED_AGAIN if seed == "new seed" else None
        return XeroTokens(
            self.identity, self.store, self.clock, self.decisions, name, seed, connected_at, encryption=self.key
        )

    @property
    def stored(self) -> Cursor:
        return self.store.cursor("xero-token")


@pytest.fixture
def tokens() -> EncryptedTokens:
    return EncryptedTokens()


def test_neither_token_is_in_the_row(tokens: EncryptedTokens) -> None:
    tokens.encrypting().current()
    tokens.encrypting().renewed("access-1")

    rows = "".join(row.data for row in tokens.store.table.written)
    assert not [token for token in ("access-1", "access-2", "refresh-1", "refresh-2") if token in rows]


def test_another_worker_reads_the_encrypted_tokens_and_renews_them(tokens: EncryptedTokens) -> None:
    tokens.encrypting("w1").current()
    assert tokens.encrypting("w2").current() == "access-1"
    tokens.clock.advance(29 * 60)

    assert tokens.encrypting("w2").current() == "access-2"
    assert tokens.identity.grants == ["seed", "refresh-1"]


def test_tokens_stored_as_plain_text_are_read_and_encrypted_by_the_next_resume(tokens: EncryptedTokens) -> None:
    tokens.worker().current()
    assert tokens.stored.data["refresh_token"] == "refresh-1"

    assert tokens.encrypting().current() == "access-1"
    tokens.encrypting().finish_renewal()

    assert tokens.stored.data.keys() == {"encrypted", "expires_at", "seed"}
    tokens.clock.advance(29 * 60)
    assert tokens.encrypting().current() == "access-2"
    assert tokens.identity.grants == ["seed", "refresh-1"]


def test_refresh_that_a_plain_worker_began_is_finished(tokens: EncryptedTokens) -> None:
    tokens.worker().current()
    tokens.clock.advance(29 * 60)
    tokens.identity.lost_answers = 1
    with pytest.raises(XeroUnavailable):
        tokens.worker().current()

    tokens.encrypting().finish_renewal()

    assert tokens.identity.grants == ["seed", "refresh-1", "refresh-1"]
    assert tokens.stored.data.keys() == {"encrypted", "expires_at", "seed"}


def test_xero_is_not_asked_while_the_key_is_unavailable(tokens: EncryptedTokens) -> None:
    """Xero would replace the refresh token, and the new one could not be stored."""
    tokens.encrypting().current()
    tokens.clock.advance(29 * 60)
    tokens.key.problem = KeyUnavailable("ThrottlingException")

    for _ in range(3):
        with pytest.raises(XeroUnavailable, match="ThrottlingException"):
            tokens.encrypting().current()
    assert tokens.identity.grants == ["seed"]

    tokens.key.problem = None
    assert tokens.encrypting().current() == "access-2"


@pytest.mark.parametrize("problem", [KeyUnavailable("KMSInternalException"), KeyRefused("AccessDeniedException")])
def test_first_refresh_does_not_begin_before_its_tokens_can_be_encrypted(
    tokens: EncryptedTokens, problem: Exception
) -> None:
    tokens.key.problem = problem

    with pytest.raises((XeroUnavailable, XeroTokensUnreadable)):
        tokens.encrypting().current()

    assert (tokens.identity.grants, tokens.stored.data) == ([], {})


def test_refresh_is_repeated_when_the_key_becomes_unavailable_after_xeros_answer(
    tokens: EncryptedTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens.encrypting().current()
    tokens.clock.advance(29 * 60)
    refresh = tokens.identity.refresh

    def answer_before_an_outage(refresh_token: str) -> TokenSet:
        answer = refresh(refresh_token)
        tokens.key.problem = KeyUnavailable("KMSInternalException")
        return answer

    with monkeypatch.context() as patch, pytest.raises(XeroUnavailable, match="KMSInternalException"):
        patch.setattr(tokens.identity, "refresh", answer_before_an_outage)
        tokens.encrypting().current()

    tokens.key.problem = None
    tokens.encrypting("resume").finish_renewal()

    assert tokens.identity.grants == ["seed", "refresh-1", "refresh-1"]
    assert tokens.encrypting("w2").current() == "access-3"


def test_refused_key_is_reported_with_its_remedy_and_the_tokens_stay(tokens: EncryptedTokens) -> None:
    tokens.encrypting().current()
    before = tokens.stored
    tokens.key.problem = KeyRefused("IncorrectKeyException")

    with pytest.raises(XeroTokensUnreadable, match="IncorrectKeyException"):
        tokens.encrypting().current()

    (line,) = tokens.decisions.of("XERO_TOKENS_UNREADABLE")
    assert (line["reason"], line["code"]) == ("XERO_TOKENS_UNREADABLE", "IncorrectKeyException")
    assert "TokenKey" in str(line["remedy"])
    assert tokens.stored == before
    tokens.key.problem = None  # somebody allows the functions to use it again
    assert tokens.encrypting().current() == "access-1"


def test_refused_key_does_not_have_a_refresh_repeated_every_minute(tokens: EncryptedTokens) -> None:
    tokens.encrypting().current()
    tokens.identity.lost_answers = 1
    with pytest.raises(XeroUnavailable):
        tokens.encrypting().renewed("access-1")
    tokens.key.problem = KeyRefused("DisabledException")

    for _ in range(3):
        tokens.encrypting().finish_renewal()

    assert len(tokens.decisions.of("XERO_TOKENS_UNREADABLE")) == 1


def test_connecting_again_replaces_tokens_that_cannot_be_decrypted(tokens: EncryptedTokens) -> None:
    tokens.encrypting().current()
    tokens.key = ReversedText()
    tokens.key.decrypt = lambda encrypted: pytest.fail("another secret's tokens")  # type: ignore[method-assign]
    tokens.identity.valid = {"new seed"}

    assert tokens.encrypting(seed="new seed").current() == "access-2"


def test_custom_connection_asks_for_new_tokens_when_the_stored_ones_cannot_be_decrypted(
    tokens: EncryptedTokens,
) -> None:
    tokens.encrypting(seed=None).current()

    def refused(encrypted: str) -> str:
        raise KeyRefused("InvalidCiphertextException")

    tokens.key.decrypt = refused  # type: ignore[method-assign]

    assert tokens.encrypting("w2", seed=None).current() == "access-2"
    assert tokens.decisions.of("XERO_TOKENS_UNREADABLE") == []
