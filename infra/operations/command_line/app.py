"""All commands of the operators. One module has each; here is only their list."""

from __future__ import annotations

import typer

from operations.command_line.backfill import backfill
from operations.command_line.command import add_command
from operations.command_line.connect_amazon import amazon
from operations.command_line.connect_xero import xero
from operations.command_line.correct import correct, corrections, withdraw
from operations.command_line.doctor import doctor
from operations.command_line.drift import drift
from operations.command_line.failed import failed
from operations.command_line.logs import logs
from operations.command_line.rebook import rebook
from operations.command_line.redrive import redrive
from operations.command_line.replay import replay
from operations.command_line.resync import resync
from operations.command_line.show import show
from operations.command_line.status import status
from operations.command_line.status_page import status_page
from operations.command_line.stock import close, reconcile, worklist

app = typer.Typer(
    name="operate",
    help="Operate a stack that enters Amazon's orders in Xero: the same on the local cloud and in AWS.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COMMANDS = (status, failed, show, correct, withdraw, corrections, logs, doctor, status_page, redrive, resync, backfill)
for _command in _COMMANDS:
    add_command(app, _command)
app.add_typer(replay)
app.add_typer(drift)
app.add_typer(rebook)

_stock = typer.Typer(help="Stock at Amazon against the tracked items in Xero.", no_args_is_help=True)
for _stock_command in (worklist, reconcile, close):
    add_command(_stock, _stock_command)
app.add_typer(_stock, name="stock")

_connect = typer.Typer(help="Connect Xero and Amazon: credentials are checked, then stored.", no_args_is_help=True)
for _connect_command in (xero, amazon):
    add_command(_connect, _connect_command)
app.add_typer(_connect, name="connect")


@app.callback()
def _operate() -> None:
    """Have the command's name on the line, also while there is only one."""
