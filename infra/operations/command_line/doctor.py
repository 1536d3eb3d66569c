"""`doctor`: check a connection on all sides, live, and say what to do about each finding."""

from __future__ import annotations

from functools import partial

from rich.console import RenderableType

from operations.command_line.progress import shown
from operations.command_line.result import Result, table
from operations.command_line.session import Session
from operations.doctor import amazon, aws, merchant_quantities, rows, stock_pools, xero
from operations.doctor.checked_connection import CheckedConnection
from operations.doctor.examination import Check, examined
from operations.doctor.finding import DoctorFinding, Severity, Side

_CHECKS = (
    (Side.AWS, aws.check_documents),
    (Side.AWS, aws.check_queue_policies),
    (Side.AWS, aws.check_functions),
    (Side.AWS, aws.check_key),
    (Side.AWS, aws.check_alarms),
    (Side.AWS, aws.check_dead_letters),
    (Side.AMAZON, amazon.check_authorisation),
    (Side.AMAZON, amazon.check_roles),
    (Side.AMAZON, amazon.check_subscriptions),
    (Side.AMAZON, merchant_quantities.check_merchant_quantities),
    (Side.CONNECTION, stock_pools.check_stock_pools),
    (Side.XERO, xero.check_xero),
    (Side.CONNECTION, rows.check_status),
)
_ORDER = list(Severity)


def doctor(session: Session) -> Result:
    """Check AWS, Amazon and Xero live, with what to do about each finding. It only reads, with about 15 calls."""
    findings: dict[str, list[DoctorFinding]] = {}
    for name in session.connections:
        checked = CheckedConnection(session, name)
        checks: list[tuple[Side, Check]] = [(side, partial(check, checked)) for side, check in _CHECKS]
        found = dict.fromkeys(examined(shown(checks, f"Checking {name}", len(checks))))
        findings[name] = sorted(found, key=lambda each: _ORDER.index(each.severity))
    everything = [finding for found in findings.values() for finding in found]
    return Result(
        {"connections": {name: [each.as_data() for each in found] for name, found in findings.items()}},
        [part for name, found in findings.items() for part in _view(name, found)],
        has_problem=any(finding.severity is not Severity.NOTE for finding in everything),
    )


def _view(name: str, findings: list[DoctorFinding]) -> list[RenderableType]:
    if not findings:
        return [f"Connection {name}: everything that can be checked is fine."]
    listed = [(each.severity, each.side, each.what, each.remedy) for each in findings]
    return [table(f"Connection {name}: {len(findings)} findings", ("", "where", "what", "what to do"), listed), ""]
