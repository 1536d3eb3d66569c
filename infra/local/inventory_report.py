"""What a run leaves of stock: the messages that people would have received, each level, and the reconciliation."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.endpoint import CloudEndpoint

_QUEUE = "inventory-alerts-recipient"


def subscribe_recipient(cloud: CloudEndpoint, topic: str) -> None:
    """Subscribe a queue to the topic of inventory alerts, in place of a person."""
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName=_QUEUE)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"])


def inventory_summary(cloud: CloudEndpoint, outputs: Mapping[str, str], folder: Path) -> list[str]:
    """Write alerts.txt, levels.json and the reconciliation into the folder; return the lines to print."""
    alerts, levels = received(cloud), stock_levels(cloud, outputs["TableName"])
    shutil.rmtree(folder, ignore_errors=True)  # else reports of an earlier run would be taken for this one's
    folder.mkdir(parents=True)
    texts = [f"Subject: {alert['Subject']}\n\n{alert['Message']}" for alert in alerts]
    (folder / "alerts.txt").write_text(f"\n\n{'-' * 80}\n\n".join(texts) + "\n", encoding="utf-8")
    (folder / "levels.json").write_text(json.dumps(levels, indent=1, ensure_ascii=False), encoding="utf-8")
    subjects = [f"  {alert['Subject']}" for alert in alerts]
    printed = ["", f"{len(levels)} stock levels, {len(alerts)} messages of inventory alerts:", *subjects]
    return [*printed, *_worklist(reports(cloud, outputs["ReportBucketName"], folder))]


def reports(cloud: CloudEndpoint, bucket: str, folder: Path) -> Mapping[str, Any]:
    """Copy the reports of the last reconciliation into the folder; return the one for programs, empty if none."""
    s3 = cloud.client("s3")
    newest = sorted(each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", []))[-3:]
    for key in newest:
        (folder / key.rpartition("/")[2]).write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    report: Mapping[str, Any] = json.loads((folder / "stock.json").read_text(encoding="utf-8")) if newest else {}
    return report


def _worklist(report: Mapping[str, Any]) -> list[str]:
    """Return the lines about each item that a person has to reconcile."""
    if not report:
        return ["Stock was not reconciled"]
    counts = ", ".join(f"{count} {finding}" for finding, count in report["counts"].items())
    opened = [line for line in report["lines"] if line["state"] == "OPEN"]
    lines = [
        f"  {line['item']:<20} {line['reason']:<22} Amazon {line['amazon'] or '-':>4}  own {line['own'] or '-':>4}  "
        f"Xero {line['xero'] or '-':>4}  "
        f"difference {line['difference']:>4}"
        for line in opened
    ]
    return [f"Stock reconciled with Xero: {counts}; {len(opened)} open (.run/inventory/stock.html):", *lines]


def received(cloud: CloudEndpoint) -> list[dict[str, str]]:
    """Return the messages that the topic has delivered, oldest first."""
    sqs = cloud.client("sqs")
    queue = sqs.get_queue_url(QueueName=_QUEUE)["QueueUrl"]
    found: list[dict[str, str]] = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return sorted(found, key=lambda each: each["Timestamp"])


def stock_levels(cloud: CloudEndpoint, table: str) -> list[dict[str, Any]]:
    """Return each stock level that the system has recorded."""
    values = {":pk": {"S": "CONNECTION#main"}, ":stock": {"S": "STOCK#"}}
    pages = (
        cloud.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :stock)",
            ExpressionAttributeValues=values,
        )
    )
    return [
        {
            "level": row["sk"]["S"].removeprefix("STOCK#"),
            "state": row["state"]["S"],
            **json.loads(row["data"]["S"]),
        }
        for page in pages
        for row in page["Items"]
    ]
