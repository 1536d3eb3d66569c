"""Calls Xero for a connection that nothing else has called it for, to find out whether it still answers."""

from __future__ import annotations

from amazon_to_xero.ports.xero import XeroApi, XeroError, XeroNotAuthorised
from amazon_to_xero.services.pauses import Pauses
from amazon_to_xero.services.posting.refused_operations import is_refused_alone

_COLLECTION = "Contacts"


class XeroCheck:
    """Checks the Xero side of one connection."""

    def __init__(self, xero: XeroApi, pauses: Pauses) -> None:
        self._xero = xero
        self._pauses = pauses

    def call(self) -> None:
        """Look up a contact that does not exist; pause Xero if it does not answer. Do nothing while it is paused.

        Xero serves a connection of which it refuses contacts alone: the app then lacks their scope.
        """
        if self._pauses.until("xero") is not None:
            return
        try:
            self._xero.find(_COLLECTION, "ContactNumber", ["AMAZON-TO-XERO-CHECK"])
        except XeroNotAuthorised as problem:
            if not is_refused_alone(self._xero, _COLLECTION):
                self._pauses.pause_xero(problem)
        except XeroError as problem:
            self._pauses.pause_xero(problem)
