"""The part `amazon` of a connection's settings: the seller and its marketplaces."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from amazon_to_xero.domain.amazon.marketplaces import MARKETPLACES
from amazon_to_xero.runtime.settings.base import Settings, Text


class AmazonSettings(Settings):
    seller_id: Text = Field(description="Amazon's id of the seller (merchant token), e.g. `A1SELLER`.")
    region: Literal["na", "eu", "fe"] = Field(
        description="Region of the Selling Partner API that serves the marketplaces: North America, Europe (also the "
        "Middle East, Africa and India) or the Far East."
    )
    marketplaces: Annotated[tuple[Text, ...], Field(min_length=1)] = Field(
        description="Amazon's ids of the marketplaces whose orders are booked, e.g. `A1F83G8C2ARO7P` for Amazon.co.uk. "
        "An order of any other marketplace fails with `UNKNOWN_MARKETPLACE`, unless it is ignored."
    )
    ignored_marketplaces: tuple[Text, ...] = Field(
        default=(),
        description="Amazon's ids of further marketplaces of the seller whose orders are not booked, because Amazon "
        "notifies of the orders of all. They become `NOT_INVOICED` with the reason `IGNORED_MARKETPLACE`.",
    )
    read_destination: bool = Field(
        default=True,
        description="Whether to request each order's destination, whose country and region tax rules may need. Set it "
        "to `false` if the application has no role that gives access to addresses.",
    )

    @model_validator(mode="after")
    def _marketplaces_exist(self) -> Self:
        unknown = [marketplace for marketplace in self.marketplaces if marketplace not in MARKETPLACES]
        if unknown:
            raise ValueError(f"marketplace ids {', '.join(unknown)} are not Amazon's; take them from Amazon's list")
        both = [marketplace for marketplace in self.ignored_marketplaces if marketplace in self.marketplaces]
        if both:
            raise ValueError(
                f"marketplaces and ignored_marketplaces both list {', '.join(both)}; remove each from one of them"
            )
        return self
