"""The error responses of the Selling Partner API."""

from __future__ import annotations

from sandbox.wire import Response


class ApiError(Exception):
    """An error response, `{"errors": [{"code", "message", "details"}]}` in all SP-API models."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    def response(self) -> Response:
        error = {"code": self.code, "message": self.message, "details": self.details}
        return Response.of_json({"errors": [error]}, self.status)


def invalid_input(message: str) -> ApiError:
    return ApiError(400, "InvalidInput", message)


def not_found(message: str) -> ApiError:
    return ApiError(404, "NotFound", message)


def conflict(message: str) -> ApiError:
    return ApiError(409, "Conflict", message)


def unauthorized() -> ApiError:
    return ApiError(
        403,
        "Unauthorized",
        "Access to requested resource is denied.",
        "The access token you provided is revoked, malformed or invalid.",
    )


def access_denied() -> ApiError:
    return ApiError(403, "Unauthorized", "Access to requested resource is denied.")


def quota_exceeded() -> ApiError:
    return ApiError(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
