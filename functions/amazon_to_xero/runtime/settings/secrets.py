"""The secret of a connection: its credentials and the salt of its pseudonyms."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from amazon_to_xero.runtime.settings.base import Settings, Text


class AmazonSecrets(Settings):
    client_id: Text = Field(description="Client id of the Amazon application, from Login with Amazon.")
    client_secret: Text = Field(description="Client secret of the Amazon application.")
    refresh_token: Text = Field(description="Refresh token of the seller's authorisation.")
    client_secret_since: AwareDatetime | None = Field(
        default=None,
        description="Since when the client secret is in use (UTC): when it was made, if you state that, else when it "
        "was first stored. Whatever stores the secret adds this. Amazon ends a client secret 180 days after it was "
        "made.",
    )
    refresh_token_since: AwareDatetime | None = Field(
        default=None,
        description="The same of the refresh token. The authorisation of a public application ends after 365 days.",
    )


class XeroSecrets(Settings):
    client_id: Text = Field(description="Client id of the Xero app.")
    client_secret: Text = Field(description="Client secret of the Xero app.")
    refresh_token: Text | None = Field(
        default=None,
        description="Refresh token of the app's authorisation. Leave it out for a custom connection, which has none.",
    )


class ConnectionSecrets(Settings):
    """A connection's secret in Secrets Manager."""

    amazon: AmazonSecrets = Field(description="Credentials for Amazon.")
    xero: XeroSecrets = Field(description="Credentials for Xero.")
    buyer_salt: Annotated[str, StringConstraints(min_length=32)] = Field(
        description="Random text that pseudonyms of buyers are made with. It is added when the secret is first stored, "
        "and must never change."
    )
    connected_at: AwareDatetime | None = Field(
        default=None,
        description="When the secret was last stored (UTC); whatever stores it adds this. A function that still has an "
        "older secret in memory leaves the Xero tokens of a newer one alone. Without it, nothing tells which of two "
        "secrets is newer: each replaces the tokens of the other.",
    )
