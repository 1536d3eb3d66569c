"""Runs checks. What a side refuses or does not answer is a finding of its own, and the other checks go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from amazon_to_xero.ports.amazon import AmazonError, AmazonNotAuthorised
from amazon_to_xero.ports.xero import XeroError, XeroGrantRefused, XeroNotAuthorised, XeroRefused
from amazon_to_xero.runtime.settings import SettingsError
from operations.doctor.finding import DoctorFinding, Severity, Side
from operations.problems import explain_amazon, explain_aws, explain_table, explain_xero

type Check = Callable[[], Iterable[DoctorFinding]]
_BROKEN_IN_XERO = (XeroGrantRefused, XeroNotAuthorised, XeroRefused)


def examined(checks: Iterable[tuple[Side, Check]]) -> Iterator[DoctorFinding]:
    """Yield the findings of all checks."""
    for side, check in checks:
        try:
            yield from check()
        except SettingsError as problem:
            # Whichever side needs them: settings and secret are stored in AWS, and the same finding is listed once.
            yield _refused(Severity.BROKEN, Side.AWS, str(problem))
        except AmazonError as problem:
            severity = Severity.BROKEN if isinstance(problem, AmazonNotAuthorised) else Severity.AT_RISK
            yield _refused(severity, side, explain_amazon(problem))
        except (XeroError, XeroGrantRefused) as problem:
            severity = Severity.BROKEN if isinstance(problem, _BROKEN_IN_XERO) else Severity.AT_RISK
            yield _refused(severity, side, explain_xero(problem))
        except (BotoCoreError, ClientError) as problem:
            yield _refused(Severity.AT_RISK, side, explain_aws(problem))
        except PynamoDBException as problem:
            yield _refused(Severity.AT_RISK, side, explain_table(problem))


def _refused(severity: Severity, side: Side, explained: str) -> DoctorFinding:
    """Return a finding of an explanation, whose last sentence says what to do where it has more than one."""
    what, _, remedy = explained.rpartition(". ")
    if not what:
        what, remedy = explained, "Run doctor again in a few minutes; report it if it stays."
    return DoctorFinding(severity, side, what, remedy)
