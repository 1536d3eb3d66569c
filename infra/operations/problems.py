"""What AWS, Amazon and Xero refuse an operator, in words that say what to do."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
)
from pynamodb.exceptions import PynamoDBException

from amazon_to_xero.ports.amazon import AmazonError, AmazonNotAuthorised, AmazonThrottled, AmazonUnavailable
from amazon_to_xero.ports.xero import (
    XeroError,
    XeroGrantRefused,
    XeroNotAuthorised,
    XeroOutcomeUnknown,
    XeroRateLimited,
    XeroTokensUnreadable,
    XeroUnavailable,
)

_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, SSOError)
# AWS: the credentials themselves are refused, by whichever service is called.
_CREDENTIALS_REFUSED = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_FORBIDDEN = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


def explain_aws(problem: BotoCoreError | ClientError) -> str:
    """Return what is wrong and what to do."""
    if isinstance(problem, _NO_CREDENTIALS):
        return "there are no usable AWS credentials. Sign in (aws sso login) or set AWS_PROFILE, then run it again."
    if isinstance(problem, ProfileNotFound):
        return f"{problem}. Correct AWS_PROFILE."
    if isinstance(problem, NoRegionError):
        return "no AWS region is set. Set AWS_REGION to the region of the stack, for example eu-west-1."
    if isinstance(problem, EndpointConnectionError):
        return f"AWS cannot be reached ({problem}). Check AWS_REGION and the network."
    if not isinstance(problem, ClientError):
        return str(problem)
    code = problem.response["Error"]["Code"]
    if code in _CREDENTIALS_REFUSED:
        return f"AWS refuses the credentials ({code}). Sign in again, or correct AWS_PROFILE."
    if code in _FORBIDDEN:
        return (
            f"these AWS credentials may not do {problem.operation_name} ({code}). "
            "Use those of an administrator of the account, or allow it."
        )
    return str(problem)


def explain_table(problem: PynamoDBException) -> str:
    """Return what is wrong with a read of the table and what to do: pynamodb wraps the error of AWS."""
    cause = problem.cause
    return explain_aws(cause) if isinstance(cause, BotoCoreError | ClientError) else str(problem)


def explain_amazon(problem: AmazonError) -> str:
    """Return what is wrong and what to do."""
    if isinstance(problem, AmazonNotAuthorised):
        return (
            f"Amazon refuses the credentials ({problem}). Check the part amazon of the secrets, and that the "
            "application is authorised for this seller in Seller Central."
        )
    if isinstance(problem, AmazonThrottled | AmazonUnavailable):
        return f"Amazon does not answer at the moment ({problem}). Run it again in a few minutes."
    return str(problem)


def explain_xero(problem: XeroError | XeroGrantRefused) -> str:
    """Return what is wrong and what to do."""
    if isinstance(problem, XeroGrantRefused | XeroNotAuthorised):
        return (
            f"Xero refuses the credentials ({problem}). Check the part xero of the secrets, xero.tenant_id of the "
            "settings, and that the app is still connected to the organisation."
        )
    if isinstance(problem, XeroTokensUnreadable):
        return f"{problem}. Use AWS credentials that may encrypt and decrypt with the stack's key TokenKey."
    if isinstance(problem, XeroRateLimited | XeroUnavailable | XeroOutcomeUnknown):
        return f"Xero does not answer at the moment ({problem}). Run it again in a few minutes."
    return str(problem)
