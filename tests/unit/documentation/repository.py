"""A small repository on disk for the tests of the documentation tools, clean until a test adds a violation."""

from __future__ import annotations

from pathlib import Path

FAILURES = """
from enum import StrEnum

class FailureCode(StrEnum):
    TAX_UNMAPPED = "TAX_UNMAPPED"

class WaitReason(StrEnum):
    OUT_OF_TIME = "OUT_OF_TIME"

class NotInvoicedReason(StrEnum):
    ZERO_VALUE = "ZERO_VALUE"
"""
RULES = """
from amazon_to_xero.domain.failures import FailureCode, NotInvoicedReason, WaitReason

_N = NotInvoicedReason
REASONS = (FailureCode.TAX_UNMAPPED, WaitReason.OUT_OF_TIME, _N.ZERO_VALUE)

class Rules:
    limit: int = 3

    def match(self) -> None:
        decisions.record("PAUSED", reason=WaitReason.OUT_OF_TIME)
"""
OPERATING = """
# Operating

| Message | Meaning |
|---|---|
| `PAUSED` | It waits. |

## Codes

| Code | Meaning |
|---|---|
| `TAX_UNMAPPED` | No rule. |
| `OUT_OF_TIME` | Later. |
| `ZERO_VALUE` | Nothing to invoice. |
"""
GLOSSARY = """
# Glossary

| Say | Meaning | Not |
|---|---|---|
| notice | A message. | hint, look at, *message* |
| `TAX_VARIANCE` | A code. | DRIFT |
"""
FILES = {
    "Makefile": "test: ## Check\n\nlint:\n",
    "README.md": "# Title\n\nRun `make test`. Read [operating](docs/operating.md#codes).\n",
    "docs/operating.md": OPERATING,
    "docs/glossary.md": GLOSSARY,
    "docs/internals.md": "# Internals\n\n1. `rules.Rules.match` in `domain/rules.py`.\n",
    "template.yaml": 'QueueName: !Sub "${AWS::StackName}-orders"\n',
    "infra/observability.yaml": 'Name: !Sub "${ParentStack}/Failures"\n',
    "functions/amazon_to_xero/__init__.py": "",
    "functions/amazon_to_xero/domain/__init__.py": "",
    "functions/amazon_to_xero/domain/failures.py": FAILURES,
    "functions/amazon_to_xero/domain/rules.py": RULES,
}


class Repository:
    """The files of FILES under a directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for path, text in FILES.items():
            self.write(path, text)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def append(self, path: str, text: str) -> None:
        self.write(path, (self.root / path).read_text(encoding="utf-8") + text)
