"""`make sam`: run a command of SAM CLI for a deployed stack, or for the local cloud that `make run KEEP=1` keeps.

    python -m local.sam [--stack NAME] "remote invoke OrdersFunction --event-file -"

Without a stack it uses the local cloud, which answers SAM's calls as AWS does; `--stack-name` is added.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Sequence

from local.cloud import aws_settings
from local.running import find_running
from local.stack import STACK
from local.tools import environment, sam_command


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make sam", description="Run a command of SAM CLI for a stack.")
    parser.add_argument("--stack", default="", help="a stack in AWS; without it, the running local cloud")
    parser.add_argument("command", help='e.g. "logs --name OrdersFunction"')
    given = parser.parse_args(arguments)
    command = sam_command(*shlex.split(given.command), "--stack-name", given.stack or STACK)
    if given.stack:
        return subprocess.run(command, check=False, env=environment()).returncode
    running = find_running()
    if running is None:
        print("No local cloud is running: start one with make run KEEP=1, or name a STACK.", file=sys.stderr)
        return 1
    with aws_settings(running.endpoint):
        return subprocess.run(command, check=False, env=environment()).returncode


if __name__ == "__main__":
    sys.exit(main())
