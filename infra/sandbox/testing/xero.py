"""An in-process client of the sandbox Xero that is always authorised, and sample documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from sandbox.wire import Request, Response, SandboxClock, dumps
from sandbox.xero import Limits, XeroSandbox

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
UNLIMITED = Limits(minute=10**9, day=10**9, app_minute=10**9)


class XeroClient:
    """A sandbox whose clock stands still until `wait`, without rate limits by default."""

    def __init__(
        self, organisation: dict[str, Any] | None = None, limits: Limits | None = None, start: datetime = START
    ) -> None:
        self._now = start
        self.sandbox = XeroSandbox(SandboxClock(lambda: self._now), organisation, limits or UNLIMITED)
        self.headers = {"xero-tenant-id": self.sandbox.tenant_id}
        self._renew_access_token()

    def wait(self, **duration: float) -> None:
        """Advance the clock and renew the access token, as a client would."""
        self._now += timedelta(**duration)
        self._renew_access_token()

    def send(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> Response:
        """Send a request to the accounting API and return the response as it is sent over the wire.

        body: JSON data, or bytes to send as they are.
        key: the Idempotency-Key.
        """
        query_string = "&".join(f"{name}={quote(str(value))}" for name, value in query.items())
        full_target = f"/api.xro/2.0/{target}" + (f"?{query_string}" if query_string else "")
        all_headers = {**self.headers, **({"Idempotency-Key": key} if key else {}), **(headers or {})}
        raw = body if isinstance(body, bytes) else b"" if body is None else dumps(body).encode()
        return self.sandbox.handle(Request.to(method, full_target, headers=all_headers, body=raw))

    def call(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> ParsedResponse:
        """Send a request to the accounting API and return the parsed response."""
        return parse_response(self.send(method, target, body, key=key, headers=headers, **query))

    def get(self, target: str, **query: Any) -> ParsedResponse:
        return self.call("GET", target, **query)

    def put(self, target: str, body: Any, **options: Any) -> ParsedResponse:
        return self.call("PUT", target, body, **options)

    def post(self, target: str, body: Any, **options: Any) -> ParsedResponse:
        return self.call("POST", target, body, **options)

    def control(self, method: str, name: str, body: Any = None) -> ParsedResponse:
        raw = b"" if body is None else dumps(body).encode()
        return parse_response(self.sandbox.control(Request.to(method, f"/_sandbox/{name}", body=raw)))

    def books(self) -> dict[str, list[dict[str, Any]]]:
        return dict(self.control("GET", "books").body)

    # -- common first steps of a test ----------------------------------------------------------------------------

    def create_invoice(self, number: str = "AMZ-1", amount: str = "100.00", **fields: Any) -> dict[str, Any]:
        """Create an approved, tax-exempt invoice."""
        return self.put("Invoices", invoice(number, amount, **fields)).record()

    def create_credit_note(self, number: str = "AMZ-1-R1", amount: str = "40.00", **fields: Any) -> dict[str, Any]:
        """Create an approved, tax-exempt credit note."""
        return self.put("CreditNotes", credit_note(number, amount, **fields)).record()

    def pay(self, document: dict[str, Any], amount: str, **fields: Any) -> ParsedResponse:
        """Pay an invoice or refund a credit note."""
        return self.put("Payments", payment(document, amount, **fields))

    def _renew_access_token(self) -> None:
        self.headers["Authorization"] = f"Bearer {self.sandbox.identity.issue_access_token()}"


@dataclass(frozen=True)
class ParsedResponse:
    """A parsed response. body: JSON with exact decimals; bytes if the response is not JSON."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def messages(self) -> list[str]:
        """Every validation message, of a rejected call or of rejected elements."""
        elements = next((value for value in self.body.values() if isinstance(value, list)), [])
        return [error["Message"] for element in elements for error in element.get("ValidationErrors", [])]

    def record(self) -> dict[str, Any]:
        """Return the only record of a successful response."""
        if self.status != 200:
            raise AssertionError(f"rejected with {self.status}: {self.body}")
        [record] = next(value for value in self.body.values() if isinstance(value, list))
        if record.get("ValidationErrors"):
            raise AssertionError(f"rejected: {record}")
        return dict(record)


def parse_response(response: Response) -> ParsedResponse:
    if response.headers.get("content-type", "").startswith("application/") and response.body:
        return ParsedResponse(response.status, json.loads(response.body, parse_float=Decimal), dict(response.headers))
    return ParsedResponse(response.status, response.body, dict(response.headers))


# -- sample elements of requests -------------------------------------------------------------------------------------


def invoice(number: str = "AMZ-1", amount: str = "100.00", **fields: Any) -> dict[str, Any]:
    return {
        "Type": "ACCREC",
        "InvoiceNumber": number,
        "Contact": {"Name": "Amazon UK"},
        "Date": "2026-11-20",
        "DueDate": "2026-11-20",
        "Status": "AUTHORISED",
        "LineItems": [line(amount)],
        **fields,
    }


def credit_note(number: str = "AMZ-1-R1", amount: str = "40.00", **fields: Any) -> dict[str, Any]:
    return {
        "Type": "ACCRECCREDIT",
        "CreditNoteNumber": number,
        "Contact": {"Name": "Amazon UK"},
        "Date": "2026-11-22",
        "Status": "AUTHORISED",
        "LineItems": [line(amount, AccountCode="215")],
        **fields,
    }


def line(amount: str = "100.00", **fields: Any) -> dict[str, Any]:
    return {
        "Description": "Principal",
        "Quantity": 1,
        "UnitAmount": Decimal(amount),
        "AccountCode": "200",
        "TaxType": "NONE",
        **fields,
    }


def payment(document: dict[str, Any], amount: str, **fields: Any) -> dict[str, Any]:
    """Return a payment of an invoice, or the refund of a credit note, through the GBP clearing account."""
    id_field = "InvoiceID" if "InvoiceID" in document else "CreditNoteID"
    return {
        id_field.removesuffix("ID"): {id_field: document[id_field]},
        "Account": {"Code": "CLR-GBP"},
        "Date": "2026-11-21",
        "Amount": Decimal(amount),
        **fields,
    }


def allocation(document: dict[str, Any], amount: str) -> dict[str, Any]:
    return {"Invoice": {"InvoiceID": document["InvoiceID"]}, "Amount": Decimal(amount), "Date": "2026-11-22"}
