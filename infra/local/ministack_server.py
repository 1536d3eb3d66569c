"""Start MiniStack as close to AWS as this project needs it. Run by MiniStack's own interpreter, never imported.

Three things differ from the ``ministack`` command:

* An event source mapping hands over as many messages as its BatchSize allows. MiniStack stops at ten, the most that
  one ReceiveMessage returns; Lambda's pollers gather several of those into one batch.
* Functions run on the bare interpreter, without MiniStack's own libraries, so that a dependency which is missing from
  the deployable is missing here, too.
* It ends with the process that started it, even when that one is killed and cannot clean up.
"""

import os
import signal
import stat
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import ministack.app
from ministack.core import lambda_runtime
from ministack.services import sqs

#: Lambda invokes with at most 6 MB; what surrounds each body in the event takes its share.
BATCH_BYTES = 5_000_000


def gather_whole_batches() -> None:
    """Let a batch hold as many messages as wait, up to the mapping's BatchSize and Lambda's payload."""
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
    """Start workers with Python's standard library and the deployable, and nothing else."""
    interpreter = Path(tempfile.gettempdir()) / "python-for-functions"
    # -I: no PYTHON* variables; -S: no site-packages; -B: a deployed function cannot write bytecode beside its code.
    interpreter.write_text(f'#!/bin/sh\nexec "{sys._base_executable}" -I -S -B "$@"\n', encoding="utf-8")
    interpreter.chmod(interpreter.stat().st_mode | stat.S_IXUSR)
    detect = lambda_runtime._detect_runtime_binary

    def detect_bare(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (str(interpreter), script) if runtime.startswith("python") else (binary, script)

    lambda_runtime._detect_runtime_binary = detect_bare


def end_with_the_starter() -> None:
    """Kill this process group, workers included, once the other end of standard input is gone."""

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # returns only when the other end closes: nobody writes
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    gather_whole_batches()
    run_functions_on_the_bare_interpreter()
    end_with_the_starter()
    ministack.app.main()
