"""One cheap call to Xero where nothing else has called it, to find out whether it still serves the connection."""

from __future__ import annotations

from amazon_to_xero.ports.xero import XeroApi, XeroError
from amazon_to_xero.services.pauses import Pauses


class XeroCheck:
    """Checks the Xero side of one connection."""

    def __init__(self, xero: XeroApi, pauses: Pauses) -> None:
        self._xero = xero
        self._pauses = pauses

    def call(self) -> None:
        """Look up a contact that does not exist; pause Xero if it does not answer. Do nothing while it is paused."""
        if self._pauses.until("xero") is None:
            try:
                self._xero.find("Contacts", "ContactNumber", ["AMAZON-TO-XERO-CHECK"])
            except XeroError as problem:
                self._pauses.pause_xero(problem)
