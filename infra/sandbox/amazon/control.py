"""The control interface of the sandbox Amazon: play its history and inspect it through `/_sandbox/…`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.amazon.refusals import Refusals
from sandbox.amazon.stock_faults import StockFaults
from sandbox.amazon.times import parse_time
from sandbox.amazon.transaction_faults import TransactionFaults
from sandbox.amazon.versions import read_json
from sandbox.wire import Request, Response

if TYPE_CHECKING:
    from sandbox.amazon.service import AmazonSandbox


def control_response(sandbox: AmazonSandbox, request: Request) -> Response | None:
    """Process a control request. Return None for a path that is not Amazon's own.

    - `GET state`: counts of played and pending versions and of current records, the subscriptions, the time
    - `POST play` `{"until": "2026-11-01T00:00:00Z", "at_most": 500}`; without a body, play everything
    - `POST replay` `{"seed": 1}`
    - `POST orders`, `POST transactions`, `POST inventory`: one object, a list of objects, or
      `{"elements": [...], "notify": true}`; for orders also `"go_back": true`: replace newer versions with these
    - `POST own-stock` `{"sku": "MUG-RED", "quantity": 40, "at": "2026-11-01T00:00:00Z"}`: notify of the quantity of a
      merchant's offer, by EventBridge; without `at`, as of now
    - `POST revoke`: revoke the access tokens; with `{"authorisation": true}`, the seller's authorisation too
    - `POST authorise`
    - `POST empty-pages` `{"times": 2}`: the next responses of listTransactions are empty pages with a token
    - `POST release` `{"transaction": "4c1f…", "notify": true}`: release a deferred transaction now, and post its copy
    - `POST transaction-faults` `{"delay_hours": 48, "nulls": ["items.breakdowns"], "capitalised_status": true}`: how
      listTransactions deviates from now on; without a body, not at all
    - `POST stock-faults` `{"without_goods": ["A1F83G8C2ARO7P"], "constant_token": true, "left_out": ["MUG-RED"]}`: how
      getInventorySummaries deviates from now on; without a body, not at all
    - `POST refusals` `{"operations": [], "marketplaces": [], "orders": [], "page_tokens": false, "left_out": []}`:
      what is refused or left out from now on; without a body, nothing
    - `GET notifications?limit=100`: the newest notifications sent, oldest first
    """
    try:
        return _perform(sandbox, request, request.path.removeprefix("/_sandbox/").rstrip("/"))
    except (ValueError, TypeError, KeyError) as problem:
        return Response.of_json({"error": f"{request.method} {request.path}: {problem}"}, 400)


def _perform(sandbox: AmazonSandbox, request: Request, path: str) -> Response | None:
    match request.method, path:
        case "GET", "state":
            return Response.of_json(sandbox.state())
        case "GET", "notifications":
            return _newest_notifications(sandbox, int(request.parameter("limit") or 100))
        case "POST", "play":
            body = _body(request)
            until, at_most = body.get("until"), body.get("at_most")
            played = sandbox.play(parse_time(until) if until else None, None if at_most is None else int(at_most))
            return Response.of_json({"played": played, "pending": sandbox.pending_count})
        case "POST", "replay":
            return Response.of_json({"sent": sandbox.replay(int(_body(request).get("seed", 0)))})
        case "POST", "orders" | "transactions" | "inventory":
            return _put(sandbox, path, read_json(request.body))
        case "POST", "own-stock":
            body = _body(request)
            changed = str(body["sku"]), int(body["quantity"]), sandbox.clock.now(), str(body.get("at") or "")
            return Response.of_json({"sent": sandbox.own_stock.change(*changed)})
        case "POST", "revoke":
            sandbox.login.revoke_access_tokens()
            if _body(request).get("authorisation"):
                sandbox.login.revoke_authorisation()
            return Response(204)
        case "POST", "authorise":
            sandbox.login.authorise()
            return Response(204)
        case "POST", "refusals" | "transaction-faults" | "stock-faults":
            _set_conditions(sandbox, path, _body(request))
            return Response(204)
        case "POST", "release":
            body = _body(request)
            sandbox.release_transaction(str(body.get("transaction")), notify=bool(body.get("notify")))
            return Response(204)
        case "POST", "empty-pages":
            sandbox.transactions.empty_pages = int(_body(request).get("times", 1))
            return Response(204)
    return None


def _set_conditions(sandbox: AmazonSandbox, path: str, conditions: dict[str, Any]) -> None:
    match path:
        case "refusals":
            sandbox.refusals = Refusals(**conditions)
        case "transaction-faults":
            sandbox.transaction_faults = TransactionFaults(**conditions)
        case "stock-faults":
            sandbox.stock_faults = StockFaults(**conditions)


def _put(sandbox: AmazonSandbox, path: str, body: Any) -> Response:
    options: dict[str, bool] = {}
    if isinstance(body, dict) and "elements" in body:
        options = {name: bool(body[name]) for name in ("notify", "go_back") if name in body}
        body = body["elements"]
    puts: dict[str, Callable[..., None]] = {
        "orders": sandbox.put_order,
        "transactions": sandbox.put_transaction,
        "inventory": sandbox.put_inventory,
    }
    put = puts[path]
    elements = body if isinstance(body, list) else [body]
    for element in elements:
        if not isinstance(element, dict):
            raise ValueError('expected an object, a list of objects, or {"elements": [...], "notify": true}')
        put(element, **options)
    return Response.of_json({"put": len(elements)})


def _newest_notifications(sandbox: AmazonSandbox, limit: int) -> Response:
    newest = sandbox.sent[-limit:] if limit > 0 else []
    return Response.of_json(
        {
            "total": len(sandbox.sent),
            "notifications": [
                {"queue": notification.subscription.queue_arn, "body": read_json(notification.body())}
                for notification in newest
            ],
        }
    )


def _body(request: Request) -> dict[str, Any]:
    body = json.loads(request.body) if request.body.strip() else {}
    if not isinstance(body, dict):
        raise ValueError("expected a JSON object")
    return body
