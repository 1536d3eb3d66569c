"""A demo company of Xero that is reset while the connection posts to it: one authorisation, another organisation.

A person puts its new id into the settings, finds the connection held, and puts the earlier one back. Whatever is
posted meanwhile would be in books that know none of the connection's ids and numbers.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.wire import SandboxClock
from sandbox.xero import XeroSandbox
from sandbox.xero.chart import organisation_for

if TYPE_CHECKING:
    from simulation.world import World

_SHARE = 0.04  # of the worlds
_ASKED_AGAIN = 120.0  # seconds until the person tries again where nothing has been posted yet
_AT_MOST = 6 * 3600.0
_HELD_WITHIN = timedelta(minutes=30)  # a worker that crashed holds the lease for so long


class OtherOrganisation:
    """What happens with it in one world; nothing in most.

    putting_back: when the settings name the connection's own organisation again (seconds since the world began).
    """

    def __init__(self, world: World, is_drawn: bool | None) -> None:
        self._world = world
        rng = world._stream("organisation")
        self.is_drawn = rng.random() < _SHARE if is_drawn is None else is_drawn
        self._begins = rng.random() * world.length
        self._lasts = rng.choice((600.0, 3000.0, 7200.0))
        self.until = 0.0
        self.sandbox: XeroSandbox | None = None
        self._before: dict[str, Any] = {}
        self._silent: list[str] = []  # documents that were due for long, and nothing said why

    def plan(self) -> None:
        if self.is_drawn and not self._world.custom_connection:
            self.until = self._begins + self._lasts
            self._world.scheduler.after(self._begins, self._is_named)

    def _is_named(self) -> None:
        world = self._world
        if "CURSOR#xero-tenant" not in world.table.rows:  # nothing was posted: it may belong to either organisation
            if world.scheduler.seconds < _AT_MOST:
                self.until += _ASKED_AGAIN
                world.scheduler.after(_ASKED_AGAIN, self._is_named)
            return
        world.log("operator", "the settings name another organisation")
        self.sandbox = _reset_company(world)
        self._before = self.sandbox.holdings()
        world.xero_wire.others[self.sandbox.tenant_id] = self.sandbox
        self._name(self.sandbox.tenant_id)
        world.scheduler.after(self._lasts, self._is_put_back)

    def _is_put_back(self) -> None:
        world = self._world
        world.log("operator", "the settings name the organisation again")
        self._name(world.xero.tenant_id)
        due = (world.scheduler.now() - _HELD_WITHIN).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        pause = world.table.rows.get("CURSOR#pause#xero")
        if pause is None or not json.loads(pause.data).get("reason"):
            waiting = (row for row in world.table.waiting() if row.sk.startswith("DOCUMENT#"))
            self._silent = [row.sk for row in waiting if row.next_attempt_at <= due]

    def _name(self, tenant_id: str) -> None:
        self._world.settings["xero"]["tenant_id"] = tenant_id
        self._world.store_documents()

    def check(self, violated: Callable[[str], None]) -> None:
        """Nothing was posted to the other organisation, and what waited meanwhile did so for a stated reason."""
        if self.sandbox is None:
            return
        for collection, records in self.sandbox.holdings().items():
            if records != self._before[collection]:
                violated(f"{len(records) - len(self._before[collection])} {collection} are in another organisation")
        if self._silent:
            violated(f"the settings named another organisation, nothing said so, and there waited {self._silent}")


def _reset_company(world: World) -> XeroSandbox:
    """Return the organisation after the reset: under the same authorisation, with another id and no content."""
    settings: dict[str, Any] = json.loads(json.dumps(organisation_for("GB"), default=str))
    organisation = settings.get("Organisation") or settings["Organisations"][0]
    organisation["OrganisationID"] = str(uuid.uuid5(uuid.NAMESPACE_OID, "the demo company after its reset"))
    sandbox = XeroSandbox(SandboxClock(world.scheduler.now), settings)
    sandbox.identity = world.xero.identity
    return sandbox
