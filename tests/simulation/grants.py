"""Refusals of the refresh token that follow from Xero's own rule.

A refresh token stays valid for 30 minutes after its first use, for a client that did not receive the answer (Xero:
OAuth 2.0, token expiry). Where every answer within these 30 minutes is lost, nothing but a person's consent helps.
"""

from __future__ import annotations

from collections.abc import Sequence

GRACE_SECONDS = 1800.0
MIN_REQUESTS = 10  # that a client which wants its tokens makes in that time
_EXECUTED = "xero connectToken: executed 200"
_ANSWERED = "xero connectToken: answered 200"
_REFUSED = "XERO_GRANT_REFUSED"


def is_refused(trace: Sequence[str]) -> bool:
    """Whether Xero has refused the refresh token, and answered with no other since."""
    last = next((line for line in reversed(trace) if _REFUSED in line or _ANSWERED in line), "")
    return _REFUSED in last


def unexplained_refusals(trace: Sequence[str]) -> list[str]:
    """Return the trace's lines of refusals that no lost answers explain."""
    unanswered: list[float] = []  # seconds of the requests that Xero executed since its last answer arrived
    unexplained = []
    for line in trace:
        if _ANSWERED in line:
            unanswered = []
        elif _EXECUTED in line:
            unanswered.append(_seconds(line))
        elif _REFUSED in line and not _is_explained(unanswered, _seconds(line)):
            unexplained.append(line)
    return unexplained


def _is_explained(unanswered: Sequence[float], refused_at: float) -> bool:
    return len(unanswered) >= MIN_REQUESTS and refused_at - unanswered[0] > GRACE_SECONDS


def _seconds(line: str) -> float:
    return float(line.split(maxsplit=1)[0])
