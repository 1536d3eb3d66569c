"""The operators' command line: `python -m operations COMMAND`, or `make operate DO="COMMAND"`."""

from __future__ import annotations

from operations.command_line.app import app

if __name__ == "__main__":
    app()
