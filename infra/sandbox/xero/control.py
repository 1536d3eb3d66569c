"""The control interface of the sandbox Xero: inspect and configure it through `/_sandbox/…`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.wire import Request, Response

from . import shapes
from .errors import NotFound, UnreadableValue, ValidationError
from .oauth import Identity

if TYPE_CHECKING:
    from .service import XeroSandbox


def control_response(sandbox: XeroSandbox, request: Request) -> Response | None:
    """Process a control request. Return None for a path that is not Xero's own.

    - `GET books`: every record
    - `POST organisation`: merge settings; `?replace=true` replaces the lists sent instead
    - `GET limits`, `POST limits`
    - `POST reset`
    - `POST reset-demo-company`: empty the books, keep tokens, limits and faults
    - `POST archive` `{"Contact": id, number or name}`
    - `POST stock` `{"Items": [item, …]}`: tracked items with QuantityOnHand and TotalCostPool, as people left them
    - `POST merge` `{"Contact": id, number or name, "Into": id or number}`
    - `POST refresh-token` `{"refresh_token": …}`
    - `POST connection` `{"connected": bool}`
    - `POST consent` `{"given": bool}`: what the person answers who is asked for consent in the browser
    - `POST tenants` `{"tenants": [connection, …]}`: what the app is connected to beside this organisation
    - `POST scopes` `{"scopes": [str]}`: access tokens state these scopes from now on, as Xero's do
    """
    try:
        return _perform(sandbox, request)
    except NotFound:
        return _error(404, "no such contact: send its ContactID, ContactNumber or Name")
    except KeyError as missing_key:
        return _error(400, f"the body lacks {missing_key}")
    except ValidationError as refused:
        sandbox.books.roll_back()
        return _error(400, str(refused))
    except (ValueError, UnreadableValue) as error:
        sandbox.books.roll_back()
        return _error(400, str(error))


def _perform(sandbox: XeroSandbox, request: Request) -> Response | None:
    match request.method, request.path.removeprefix("/_sandbox/").rstrip("/"):
        case "GET", "books":
            return Response.of_json(sandbox.holdings())
        case "POST", "organisation":
            replacing = (request.parameter("replace") or "").lower() == "true"
            sandbox.books.configure(_body(request), replacing=replacing)
            return Response(204)
        case "GET", "limits":
            return Response.of_json(sandbox.limits.as_dict())
        case "POST", "limits":
            sandbox.limits.change(_body(request))
            return Response.of_json(sandbox.limits.as_dict())
        case "POST", "reset":
            sandbox.reset()
            return Response(204)
        case "POST", "reset-demo-company":
            sandbox.reset_demo_company()
            return Response(204)
        case "POST", "archive":
            contact = sandbox.contacts.archive(str(_body(request)["Contact"]))
            sandbox.books.commit()
            return Response.of_json({"Contacts": [shapes.contact(contact)]})
        case "POST", "merge":
            body = _body(request)
            contact = sandbox.contacts.merge(str(body["Contact"]), str(body["Into"]))
            sandbox.books.commit()
            return Response.of_json({"Contacts": [shapes.contact(contact)]})
        case "POST", "stock":
            items = [sandbox.items.count(element) for element in _body(request)["Items"]]
            sandbox.books.commit()
            return Response.of_json({"Items": [shapes.Shapes(sandbox.books).item(item) for item in items]})
        case "POST", ("refresh-token" | "connection" | "consent" | "tenants" | "scopes") as part:
            _change_identity(sandbox.identity, part, _body(request))
            return Response(204)
    return None


def _change_identity(identity: Identity, part: str, body: dict[str, Any]) -> None:
    match part:
        case "refresh-token":
            identity.seed_refresh_token(str(body["refresh_token"]))
        case "connection":
            identity.is_connected = bool(body["connected"])
        case "consent":
            identity.is_consent_given = bool(body["given"])
        case "tenants":
            identity.other_tenants = [dict(each) for each in body["tenants"]]
        case "scopes":
            identity.stated_scopes = [str(each) for each in body["scopes"]]


def _body(request: Request) -> dict[str, Any]:
    """Return the body as a JSON object. Raise ValueError if it is not one."""
    body = request.json()
    if not isinstance(body, dict):
        raise ValueError(f"the body must be a JSON object, not {type(body).__name__}")
    return body


def _error(status: int, message: str) -> Response:
    return Response.of_json({"error": message}, status)
