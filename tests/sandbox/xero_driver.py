"""Drives a sandbox Xero in-process, the way a client with a good token would."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from sandbox.wire import Request, Response, SandboxClock, dumps
from sandbox.xero import Limits, XeroSandbox

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
UNLIMITED = Limits(minute=10**9, day=10**9, app_minute=10**9)


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any  # the JSON with exact decimals, or the bytes when it is none
    headers: dict[str, str]

    @property
    def messages(self) -> list[str]:
        """Every validation message, of a refused call or of refused elements."""
        listed = next((value for value in self.body.values() if isinstance(value, list)), [])
        return [error["Message"] for element in listed for error in element.get("ValidationErrors", [])]

    def accepted(self) -> dict[str, Any]:
        """The only record of an accepted answer."""
        assert self.status == 200, (self.status, self.body)
        [record] = next(value for value in self.body.values() if isinstance(value, list))
        assert not record.get("ValidationErrors"), record
        return dict(record)


class XeroClient:
    def __init__(self, organisation: dict[str, Any] | None = None, limits: Limits | None = None) -> None:
        self._moment = START
        self.sandbox = XeroSandbox(SandboxClock(lambda: self._moment), organisation, limits or UNLIMITED)
        self.headers = {
            "Authorization": f"Bearer {self.sandbox.identity.issue_access_token()}",
            "xero-tenant-id": self.sandbox.tenant_id,
        }

    def wait(self, **duration: float) -> None:
        """Let time pass; the access token is renewed, as a client would."""
        self._moment += timedelta(**duration)
        self.headers["Authorization"] = f"Bearer {self.sandbox.identity.issue_access_token()}"

    def call(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Answer:
        response = self.respond(method, target, body, key=key, headers=headers, **query)
        return answer_of(response)

    def respond(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Response:
        asked = "&".join(f"{name}={quote(str(value))}" for name, value in query.items())
        full = f"/api.xro/2.0/{target}" + (f"?{asked}" if asked else "")
        sent = {**self.headers, **({"Idempotency-Key": key} if key else {}), **(headers or {})}
        raw = body if isinstance(body, bytes) else b"" if body is None else dumps(body).encode()
        return self.sandbox.handle(Request.to(method, full, headers=sent, body=raw))

    def get(self, target: str, **query: Any) -> Answer:
        return self.call("GET", target, **query)

    def put(self, target: str, body: Any, **options: Any) -> Answer:
        return self.call("PUT", target, body, **options)

    def post(self, target: str, body: Any, **options: Any) -> Answer:
        return self.call("POST", target, body, **options)

    def control(self, method: str, name: str, body: Any = None) -> Answer:
        raw = b"" if body is None else dumps(body).encode()
        return answer_of(self.sandbox.control(Request.to(method, f"/_sandbox/{name}", body=raw)))

    def books(self) -> dict[str, list[dict[str, Any]]]:
        return dict(self.control("GET", "books").body)

    # -- what most tests start from ------------------------------------------------------------------------------

    def invoiced(self, number: str = "AMZ-1", amount: str = "100.00", **more: Any) -> dict[str, Any]:
        """An approved, tax-exempt invoice of that amount."""
        return self.put("Invoices", invoice(number, amount, **more)).accepted()

    def credited(self, number: str = "AMZ-1-R1", amount: str = "40.00", **more: Any) -> dict[str, Any]:
        """An approved, tax-exempt credit note of that amount."""
        return self.put("CreditNotes", credit_note(number, amount, **more)).accepted()

    def paid(self, document: dict[str, Any], amount: str, **more: Any) -> Answer:
        return self.put("Payments", payment(document, amount, **more))


def answer_of(response: Response) -> Answer:
    if response.headers.get("content-type", "").startswith("application/") and response.body:
        return Answer(response.status, json.loads(response.body, parse_float=Decimal), dict(response.headers))
    return Answer(response.status, response.body, dict(response.headers))


def line(amount: str = "100.00", **more: Any) -> dict[str, Any]:
    return {
        "Description": "Principal",
        "Quantity": 1,
        "UnitAmount": Decimal(amount),
        "AccountCode": "200",
        "TaxType": "NONE",
        **more,
    }


def invoice(number: str = "AMZ-1", amount: str = "100.00", **more: Any) -> dict[str, Any]:
    return {
        "Type": "ACCREC",
        "InvoiceNumber": number,
        "Contact": {"Name": "Amazon UK"},
        "Date": "2026-11-20",
        "DueDate": "2026-11-20",
        "Status": "AUTHORISED",
        "LineItems": [line(amount)],
        **more,
    }


def credit_note(number: str = "AMZ-1-R1", amount: str = "40.00", **more: Any) -> dict[str, Any]:
    return {
        "Type": "ACCRECCREDIT",
        "CreditNoteNumber": number,
        "Contact": {"Name": "Amazon UK"},
        "Date": "2026-11-22",
        "Status": "AUTHORISED",
        "LineItems": [line(amount, AccountCode="215")],
        **more,
    }


def payment(document: dict[str, Any], amount: str, **more: Any) -> dict[str, Any]:
    """A payment of an invoice, or the refund of a credit note, through the pound clearing account."""
    field = "InvoiceID" if "InvoiceID" in document else "CreditNoteID"
    return {
        field.removesuffix("ID"): {field: document[field]},
        "Account": {"Code": "CLR-GBP"},
        "Date": "2026-11-21",
        "Amount": Decimal(amount),
        **more,
    }


def allocation(document: dict[str, Any], amount: str) -> dict[str, Any]:
    return {"Invoice": {"InvoiceID": document["InvoiceID"]}, "Amount": Decimal(amount), "Date": "2026-11-22"}
