"""The ways a request can fail, and Xero's error responses for them."""

from __future__ import annotations

from typing import Any

from sandbox.wire import Response


class ValidationError(Exception):
    """One element of a request breaks a rule (ErrorNumber 10).

    messages: Xero's validation messages.
    record_id: id of the existing record the element refers to, if there is one.
    """

    def __init__(self, *messages: str, record_id: str | None = None) -> None:
        super().__init__(*messages)
        self.messages = messages
        self.record_id = record_id


class NotFound(Exception):
    """The resource named in the path does not exist (404)."""


class UnreadableValue(Exception):
    """Xero's parser cannot read a value of the body, so the whole call fails before any rule is checked (14)."""


class UnreadableQuery(Exception):
    """Xero cannot parse a where, order, page or pageSize parameter (16)."""


class NoDataProcessed(Exception):
    """The body holds no element (17)."""


NOT_FOUND_RESPONSE = Response.of_html("", 404)


def error_response(error: NotFound | UnreadableValue | UnreadableQuery | NoDataProcessed) -> Response:
    """Return the response to a call that failed as a whole."""
    match error:
        case NotFound():
            return NOT_FOUND_RESPONSE
        case UnreadableValue():
            return api_exception(14, "PostDataInvalidException", str(error))
        case UnreadableQuery():
            return api_exception(16, "QueryParseException", str(error))
        case NoDataProcessed():
            return api_exception(17, "NoDataProcessedException", str(error))


def validation_exception(elements: list[dict[str, Any]]) -> Response:
    """Return the response to a call that failed because of the elements given."""
    return api_exception(10, "ValidationException", "A validation exception occurred", Elements=elements)


def api_exception(number: int, kind: str, message: str, **more: Any) -> Response:
    return Response.of_json({"ErrorNumber": number, "Type": kind, "Message": message, **more}, 400)
