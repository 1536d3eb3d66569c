"""The bucket of reports in S3."""

from __future__ import annotations

from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from amazon_to_xero.ports.outbound import ReportNotStored


class S3Client(Protocol):
    """What is used of boto3's S3 client."""

    def put_object(self, **request: Any) -> Any: ...


class ReportBucket:
    """ports.ReportStore over one bucket. The bucket encrypts, and keeps what is replaced as a version."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def put(self, name: str, content: bytes, content_type: str) -> None:
        try:
            self._s3.put_object(Bucket=self._bucket, Key=name, Body=content, ContentType=content_type)
        except ClientError as problem:
            raise ReportNotStored(problem.response["Error"]["Code"]) from None
        except BotoCoreError as problem:
            raise ReportNotStored(type(problem).__name__) from None
