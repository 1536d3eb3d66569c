"""The addresses of Amazon and Xero that a deployed stack's functions call, and that a person's commands call, too.

They differ from Amazon's and Xero's own where the stack was deployed with the parameters AmazonApiUrl, LwaUrl,
XeroApiUrl or XeroTokenUrl, for example to work against the sandboxes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from amazon_to_xero.adapters.xero.accounting import API_URL
from amazon_to_xero.adapters.xero.identity import TOKEN_URL

FUNCTION = "ResumeFunctionName"  # the output that names it; all functions have the same addresses


@dataclass(frozen=True)
class Addresses:
    """Base URLs. Of Amazon None means its own: of the connection's region, and of Login with Amazon."""

    amazon_api: str | None = None
    lwa: str | None = None
    xero_api: str = API_URL
    xero_token: str = TOKEN_URL


def addresses_of(outputs: Mapping[str, str]) -> Addresses:
    """Return the addresses of the stack with these outputs; Amazon's and Xero's own without a stack."""
    if FUNCTION not in outputs:
        return Addresses()
    variables = environment_of(boto3.client("lambda"), outputs[FUNCTION])
    return Addresses(
        variables.get("AMAZON_API_URL") or None,
        variables.get("LWA_URL") or None,
        variables.get("XERO_API_URL") or API_URL,
        variables.get("XERO_TOKEN_URL") or TOKEN_URL,
    )


def environment_of(client: Any, function: str) -> Mapping[str, str]:
    """Return the environment variables of a deployed function. client: boto3's, of Lambda."""
    variables: Mapping[str, str] = (
        client.get_function_configuration(FunctionName=function).get("Environment", {}).get("Variables", {})
    )
    return variables
