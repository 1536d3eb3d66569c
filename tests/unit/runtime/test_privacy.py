"""Where buyer data could leave on the way: pseudonyms, exceptions, and the libraries' own logs."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from amazon_to_xero.runtime.privacy import SILENCED_LOGGERS, BuyerPseudonyms, silence_libraries
from amazon_to_xero.services.unforeseen import place_of


def test_importing_the_composition_root_silences_the_libraries() -> None:
    # In a process of its own: one of the libraries raises its logger's level when it is imported
    script = (
        "import logging; logging.getLogger('sp_api.base.client').setLevel(logging.DEBUG);"
        "import amazon_to_xero.runtime.composition;"
        f"print([logging.getLogger(name).level for name in {SILENCED_LOGGERS!r}])"
    )
    result = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={
            "PYTHONPATH": ":".join(sys.path),
            "POWERTOOLS_METRICS_NAMESPACE": "tests",
            "POWERTOOLS_SERVICE_NAME": "tests",
        },
    )

    assert result.stdout.strip() == str([logging.WARNING] * len(SILENCED_LOGGERS))


@pytest.mark.parametrize(
    "name",
    [
        *("httpx", "httpcore", "urllib3", "sp_api", "sp_api.base.client", "xero_python"),
        *("botocore", "boto3", "s3transfer", "pynamodb", "aws_lambda_powertools"),
    ],
)
def test_libraries_log_nothing_below_a_warning(name: str) -> None:
    logging.getLogger(name).setLevel(logging.DEBUG)

    silence_libraries()

    assert not logging.getLogger(name).isEnabledFor(logging.INFO)


class AnswerBody(io.BytesIO):
    """The body of an HTTP answer, as botocore reads it."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


def read_secret_from_aws(secret: str) -> str:
    """Read a secret through the AWS SDK, whose answer is made up before it reaches the network."""
    client = boto3.client(
        "secretsmanager", region_name="eu-west-1", aws_access_key_id="AKIACANARY", aws_secret_access_key="canary-key"
    )
    body = json.dumps({"Name": "stack/connections/main", "SecretString": secret}).encode()

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, 200, {}, AnswerBody(body))

    client.meta.events.register("before-send.secretsmanager.GetSecretValue", answer)
    return str(client.get_secret_value(SecretId="stack/connections/main")["SecretString"])


def test_aws_sdk_logs_no_secret_at_debug_level(caplog: pytest.LogCaptureFixture) -> None:
    # Given a stack with LogLevel=DEBUG, at which the SDK as it comes logs each answer
    caplog.set_level(logging.DEBUG)
    for name in SILENCED_LOGGERS:
        logging.getLogger(name).setLevel(logging.NOTSET)
    assert read_secret_from_aws("S3CRET-refresh") == "S3CRET-refresh"
    assert "S3CRET-refresh" in caplog.text
    caplog.clear()

    silence_libraries()

    assert read_secret_from_aws("S3CRET-refresh") == "S3CRET-refresh"
    assert caplog.text == ""


def test_pseudonym_is_the_same_for_one_buyer_and_depends_on_the_salt() -> None:
    pseudonyms = BuyerPseudonyms("one salt")

    pseudonym = pseudonyms.pseudonym("canary@marketplace.example")

    assert pseudonym == pseudonyms.pseudonym("canary@marketplace.example")
    assert pseudonym != BuyerPseudonyms("another salt").pseudonym("canary@marketplace.example")
    assert (len(pseudonym), set(pseudonym) <= set("0123456789abcdef")) == (20, True)


def test_pseudonym_depends_on_where_one_text_ends_and_the_next_begins() -> None:
    pseudonyms = BuyerPseudonyms("salt")

    assert pseudonyms.pseudonym("ab", "c") != pseudonyms.pseudonym("a", "bc")


def test_place_of_an_exception_names_its_type_and_line_and_not_its_text() -> None:
    try:
        raise ValueError("Canary Buyer")
    except ValueError as problem:
        place = place_of(problem)

    assert place.startswith("ValueError in test_privacy.py:")
    assert "Canary" not in place
