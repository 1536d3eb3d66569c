"""Encrypting what may not be read by everybody who may read the table."""

from __future__ import annotations

from typing import Protocol


class KeyUnavailable(Exception):
    """The key cannot be used at the moment; retry later. The text is AWS's error code."""


class KeyRefused(Exception):
    """The key cannot be used, or did not encrypt the text; a person has to act. The text is AWS's error code."""


class Encryption(Protocol):
    """Encrypts texts of one connection. Both methods raise KeyUnavailable or KeyRefused."""

    def encrypt(self, text: str) -> str: ...

    def decrypt(self, encrypted: str) -> str: ...
