"""The part `xero` of a connection's settings: the organisation."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from amazon_to_xero.runtime.settings.base import Settings, Text


class XeroSettings(Settings):
    tenant_id: Text = Field(
        description="Xero's id of the connected organisation, a GUID: the `tenantId` in Xero's list of connections."
    )
    calls_per_day: Annotated[int, Field(ge=50, le=5000)] = Field(
        default=5000,
        description="Calls that the organisation's API tier allows in 24 hours: 5000, or 1000 on the free tier.",
    )
