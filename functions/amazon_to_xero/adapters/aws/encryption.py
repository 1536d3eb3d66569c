"""Encryption with the stack's key in AWS KMS. The key never leaves KMS; every use of it is in CloudTrail."""

from __future__ import annotations

from base64 import b64decode, b64encode
from itertools import batched
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from amazon_to_xero.ports.encryption import KeyRefused, KeyUnavailable

_MAX_BYTES = 4096  # KMS: of one Encrypt. An access token of Xero has about 1,500, but no stated limit.
_BETWEEN_PARTS = "."  # does not occur in Base64
# KMS: asking again would not help.
_REFUSALS = {
    "AccessDeniedException",
    "DisabledException",
    "IncorrectKeyException",
    "InvalidCiphertextException",
    "InvalidKeyUsageException",
    "KMSInvalidStateException",
    "NotFoundException",
    "ValidationException",
}


class KmsClient(Protocol):
    """What is used of boto3's KMS client."""

    def encrypt(self, **request: Any) -> Any: ...

    def decrypt(self, **request: Any) -> Any: ...


class KmsEncryption:
    """ports.Encryption with one key. A text is bound to its connection: that of another one is not decrypted."""

    def __init__(self, kms: KmsClient, key_arn: str, connection: str) -> None:
        self._kms = kms
        self._key = {"KeyId": key_arn, "EncryptionContext": {"connection": connection}}

    def encrypt(self, text: str) -> str:
        parts = [bytes(part) for part in batched(text.encode(), _MAX_BYTES, strict=False)]
        return _BETWEEN_PARTS.join(b64encode(self._encrypted(part)).decode() for part in parts)

    def decrypt(self, encrypted: str) -> str:
        try:
            parts = [b64decode(part, validate=True) for part in encrypted.split(_BETWEEN_PARTS)]
            return b"".join(self._decrypted(part) for part in parts).decode()
        except ValueError:
            raise KeyRefused("InvalidCiphertextException") from None

    def _encrypted(self, part: bytes) -> bytes:
        try:
            return bytes(self._kms.encrypt(Plaintext=part, **self._key)["CiphertextBlob"])
        except (BotoCoreError, ClientError) as problem:
            raise _port_error(problem) from None

    def _decrypted(self, part: bytes) -> bytes:
        try:
            return bytes(self._kms.decrypt(CiphertextBlob=part, **self._key)["Plaintext"])
        except (BotoCoreError, ClientError) as problem:
            raise _port_error(problem) from None


def _port_error(problem: BotoCoreError | ClientError) -> KeyRefused | KeyUnavailable:
    if not isinstance(problem, ClientError):
        return KeyUnavailable(type(problem).__name__)
    code = problem.response["Error"]["Code"]
    return KeyRefused(code) if code in _REFUSALS else KeyUnavailable(code)
