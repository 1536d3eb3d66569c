"""Encryption with a key in AWS KMS: what KMS is asked, and which of its errors a person has to act on."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from amazon_to_xero.adapters.aws.encryption import KmsEncryption
from amazon_to_xero.ports.encryption import KeyRefused, KeyUnavailable

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"


class FakeKms:
    """A boto3 `kms` client. A text that was encrypted with another key or context is refused, as KMS does."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.lengths: list[int] = []

    def encrypt(self, **request: Any) -> Any:
        self._fail()
        text = request["Plaintext"]
        self.lengths.append(len(text))
        if not 1 <= len(text) <= 4096:
            raise error("ValidationException")
        return {"CiphertextBlob": origin(request) + b"|" + text[::-1]}

    def decrypt(self, **request: Any) -> Any:
        self._fail()
        encrypted_by, _, text = request["CiphertextBlob"].partition(b"|")
        if encrypted_by != origin(request):
            raise error("InvalidCiphertextException")
        return {"Plaintext": text[::-1]}

    def _fail(self) -> None:
        if self.problem:
            raise self.problem


def origin(request: dict[str, Any]) -> bytes:
    return repr((request["KeyId"], request["EncryptionContext"])).encode()


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret text"}}, "Decrypt")


@pytest.fixture
def kms() -> FakeKms:
    return FakeKms()


@pytest.mark.parametrize("length", [1, 4096, 4097, 9000])
def test_text_of_any_length_is_decrypted_to_itself(kms: FakeKms, length: int) -> None:
    encryption, text = KmsEncryption(kms, KEY, "main"), ("é" * length)[:length]

    encrypted = encryption.encrypt(text)

    assert encrypted.isascii()
    assert encryption.decrypt(encrypted) == text
    assert max(kms.lengths) <= 4096


def test_text_of_another_connection_is_refused(kms: FakeKms) -> None:
    encrypted = KmsEncryption(kms, KEY, "second").encrypt("token")

    with pytest.raises(KeyRefused, match="InvalidCiphertextException"):
        KmsEncryption(kms, KEY, "main").decrypt(encrypted)


def test_text_that_is_not_encrypted_is_refused(kms: FakeKms) -> None:
    with pytest.raises(KeyRefused):
        KmsEncryption(kms, KEY, "main").decrypt("not Base64 at all")


@pytest.mark.parametrize(
    ("problem", "raised", "text"),
    [
        (error("AccessDeniedException"), KeyRefused, "AccessDeniedException"),
        (error("DisabledException"), KeyRefused, "DisabledException"),
        (error("KMSInvalidStateException"), KeyRefused, "KMSInvalidStateException"),
        (error("ThrottlingException"), KeyUnavailable, "ThrottlingException"),
        (error("KMSInternalException"), KeyUnavailable, "KMSInternalException"),
        (ConnectTimeoutError(endpoint_url="https://kms.example"), KeyUnavailable, "ConnectTimeoutError"),
    ],
)
def test_error_names_its_code_and_whether_a_retry_helps(
    kms: FakeKms, problem: Exception, raised: type[Exception], text: str
) -> None:
    kms.problem = problem
    encryption = KmsEncryption(kms, KEY, "main")

    with pytest.raises(raised, match=rf"^{text}$"):
        encryption.encrypt("token")
    with pytest.raises(raised, match=rf"^{text}$"):
        encryption.decrypt("dG9rZW4=")
