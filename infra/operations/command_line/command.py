"""What every command has in common: its options `--stack`, `--connection` and `--json`, its errors and exit codes.

0    fine
1    a person is needed, or the command could not answer
2    called in a way that cannot be answered
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from amazon_to_xero.adapters.dynamodb.rows import NewerSchema
from amazon_to_xero.ports.amazon import AmazonError
from amazon_to_xero.ports.state import Conflict
from amazon_to_xero.ports.xero import XeroError, XeroGrantRefused
from amazon_to_xero.runtime.settings import SettingsError
from operations.command_line.result import PROBLEM, USAGE, Result, print_problem, print_result
from operations.command_line.session import UsageProblem, opened
from operations.logs import UnknownFunction
from operations.problems import explain_amazon, explain_aws, explain_table, explain_xero

type Command = Callable[..., Result]

Stack = Annotated[
    str,
    typer.Option(
        "--stack",
        envvar="AMAZON_TO_XERO_STACK",
        help="Name of the deployed stack. Without it: the local cloud of make run KEEP=1.",
    ),
]
Connection = Annotated[
    str, typer.Option("--connection", help="Name of the connection. Not needed where the stack has only one.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for a program to read.")]


def add_command(app: typer.Typer, command: Command, name: str = "") -> None:
    """Add a command to the app under its function's name, with the options that all commands have.

    command: takes a Session first, then its own arguments and options, as Typer reads them from annotations.
    """

    def run(stack: str, connection: str, as_json: bool, **own: Any) -> None:
        raise typer.Exit(_answered(command, stack, connection, as_json, own))

    run.__doc__ = command.__doc__
    run.__signature__ = _with_common_options(command)  # type: ignore[attr-defined]  # what Typer reads
    app.command(name or command.__name__.replace("_", "-"))(run)


def _with_common_options(command: Command) -> inspect.Signature:
    _session, *own = inspect.signature(command, eval_str=True).parameters.values()
    options = (("stack", "", Stack), ("connection", "", Connection), ("as_json", False, Json))
    common = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, default, annotation in options
    ]
    return inspect.Signature([*(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own), *common])


def _answered(command: Command, stack: str, connection: str, as_json: bool, own: dict[str, Any]) -> int:
    """Run a command, print its result or its problem, and return the exit code."""
    try:
        with opened(stack, connection) as session:
            result = command(session, **own)
    except (UsageProblem, UnknownFunction) as problem:
        print_problem(str(problem), as_json=as_json)
        return USAGE
    except (SettingsError, NewerSchema, Conflict) as problem:
        print_problem(str(problem), as_json=as_json)
    except AmazonError as problem:
        print_problem(explain_amazon(problem), as_json=as_json)
    except (XeroError, XeroGrantRefused) as problem:
        print_problem(explain_xero(problem), as_json=as_json)
    except (BotoCoreError, ClientError) as problem:
        print_problem(explain_aws(problem), as_json=as_json)
    except PynamoDBException as problem:
        print_problem(explain_table(problem), as_json=as_json)
    else:
        print_result(result, as_json=as_json)
        return result.exit_code
    return PROBLEM
