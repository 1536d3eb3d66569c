"""Start MiniStack with four changes that bring it closer to AWS. Run by MiniStack's own interpreter, never imported.

* An event source mapping delivers as many messages as its BatchSize allows. MiniStack itself stops at ten, the most
  that one ReceiveMessage returns; Lambda's pollers combine several of those into one batch.
* Functions run on the bare interpreter, without MiniStack's own libraries, so that a dependency which is missing from
  the deployable is missing here, too.
* PutPartnerEvents delivers to the bus of the partner's source. MiniStack itself takes such events and drops them.
* The server ends with the process that started it, even if that process is killed and cannot clean up.
"""

import os
import signal
import stat
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import ministack.app  # type: ignore[import-not-found]  # only in MiniStack's environment
from ministack.core import lambda_runtime  # type: ignore[import-not-found]  # only in MiniStack's environment
from ministack.services import eventbridge, sqs  # type: ignore[import-not-found]  # only in MiniStack's environment

#: Lambda's limit for an event is 6 MB; the difference is for what the event holds besides the bodies.
BATCH_BYTES = 5_000_000


def deliver_whole_batches() -> None:
    """Fill a batch with all visible messages, up to the mapping's BatchSize and Lambda's payload limit."""
    receive_up_to_ten = sqs._receive_messages_for_esm

    def receive(queue_url: str, batch_size: int) -> list[dict[str, Any]]:
        batch: list[dict[str, Any]] = []
        size = 0
        while len(batch) < batch_size and size < BATCH_BYTES:
            more = receive_up_to_ten(queue_url, batch_size - len(batch))
            if not more:
                break
            batch += more
            size += sum(len(message["body"]) for message in more)
        return batch

    sqs._receive_messages_for_esm = receive


def run_functions_on_the_bare_interpreter() -> None:
    """Start workers with Python's standard library and the deployable only."""
    interpreter = Path(tempfile.gettempdir()) / "python-for-functions"
    # -I: no PYTHON* variables; -S: no site-packages; -B: a deployed function cannot write bytecode beside its code.
    python = sys._base_executable  # type: ignore[attr-defined]  # not documented: the one outside this environment
    interpreter.write_text(f'#!/bin/sh\nexec "{python}" -I -S -B "$@"\n', encoding="utf-8")
    interpreter.chmod(interpreter.stat().st_mode | stat.S_IXUSR)
    detect = lambda_runtime._detect_runtime_binary

    def detect_bare(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (str(interpreter), script) if runtime.startswith("python") else (binary, script)

    lambda_runtime._detect_runtime_binary = detect_bare


def deliver_partner_events() -> None:
    """Put the events of a partner, such as Amazon's, on the bus that is named as their source."""

    def put(data: dict[str, Any]) -> Any:
        entries = [{**entry, "EventBusName": entry.get("Source", "")} for entry in data.get("Entries", [])]
        return eventbridge._put_events({"Entries": entries}, allow_aws_source=True)

    eventbridge._put_partner_events = put


def end_with_parent_process() -> None:
    """Kill this process group, workers included, as soon as the other end of standard input is closed."""

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # returns only when the other end is closed: nothing is ever written
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    deliver_whole_batches()
    run_functions_on_the_bare_interpreter()
    deliver_partner_events()
    end_with_parent_process()
    ministack.app.main()
