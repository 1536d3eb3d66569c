"""Reports in the bucket, and what S3 answers."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from amazon_to_xero.adapters.aws.report_bucket import ReportBucket
from amazon_to_xero.ports.outbound import ReportNotStored


class S3:
    def __init__(self, problem: Exception | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self._problem = problem

    def put_object(self, **request: Any) -> None:
        self.requests.append(request)
        if self._problem is not None:
            raise self._problem


def test_report_is_stored_under_its_name_with_its_type() -> None:
    s3 = S3()

    ReportBucket(s3, "stack-reports").put("main/2026/stock.csv", b"Item", "text/csv")

    assert s3.requests == [
        {"Bucket": "stack-reports", "Key": "main/2026/stock.csv", "Body": b"Item", "ContentType": "text/csv"}
    ]


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "secret"}}, "PutObject"), "AccessDenied"),
        (EndpointConnectionError(endpoint_url="https://secret"), "EndpointConnectionError"),
    ],
)
def test_refusal_is_named_without_what_was_sent(problem: Exception, text: str) -> None:
    with pytest.raises(ReportNotStored) as refused:
        ReportBucket(S3(problem), "stack-reports").put("name", b"Item", "text/csv")

    assert str(refused.value) == text
