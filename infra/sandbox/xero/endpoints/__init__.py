"""The endpoints of the accounting API: what each operation reads or changes, and the response it returns."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.wire import Response

# Called with the request and the references (ids or numbers) in its path.
Endpoint = Callable[..., Response]
