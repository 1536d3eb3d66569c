"""SAM CLI, MiniStack and checkov, each in an environment of its own.

All pin dozens of libraries and would change the versions in the project's environment. MiniStack runs the functions
with its own interpreter, so an environment shared with the project would also hide a dependency that is missing from
the deployable. uv creates the environments on first use and keeps them in its cache.

On the command line: ``python -m local.tools sam build`` runs SAM CLI and ``python -m local.tools checkov`` checkov,
``python -m local.tools install`` installs SAM CLI and MiniStack.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = ROOT / ".tools" / "bin" / "uv"

SAM_CLI = "aws-sam-cli==1.170.0"
MINISTACK = "ministack==1.5.33"
#: Without it MiniStack rejects templates with a Serverless transform.
SAM_TRANSLATOR = "aws-sam-translator==1.115.0"
#: Only `make checkov` uses it, which installs it (30 seconds).
CHECKOV = "checkov==3.3.30"


def sam_command(*arguments: str) -> list[str]:
    """Return the command line that runs SAM CLI with `arguments`."""
    return [*_in_environment(SAM_CLI), "sam", *arguments]


def checkov_command(*arguments: str) -> list[str]:
    """Return the command line that runs checkov with `arguments`."""
    return [*_in_environment(CHECKOV), "checkov", *arguments]


def check_templates(*arguments: str) -> int:
    """Run checkov in the project's folder and return its exit status, 1 also where it could not read a template.

    It states that as a parsing error and ends with 0, for a file that is missing, too.
    """
    command = checkov_command(*arguments)
    run = subprocess.run(command, check=False, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    print(run.stdout, end="")
    if "Parsing errors: " in run.stdout:
        print("checkov could not read a template: nothing of it was checked.", file=sys.stderr)
        return 1
    return run.returncode


def ministack_interpreter() -> Path:
    """Return the Python 3.13 of MiniStack's environment, which is created if it does not exist yet.

    :raises subprocess.CalledProcessError: uv failed to create it; its message is on standard error.
    """
    command = [*_in_environment(MINISTACK, SAM_TRANSLATOR), "python", "-c", "import sys; print(sys.executable)"]
    return Path(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


def environment() -> dict[str, str]:
    """Return this process's environment with SAM CLI's telemetry switched off."""
    return os.environ | {"SAM_CLI_TELEMETRY": "0"}


def _in_environment(package: str, *more: str) -> list[str]:
    extra = [argument for requirement in more for argument in ("--with", requirement)]
    return [str(UV), "tool", "run", "--quiet", "--python", sys.executable, "--from", package, *extra]


def main() -> None:
    match sys.argv[1:]:
        case ["sam", *arguments]:
            command = sam_command(*arguments)
            os.chdir(ROOT)
            os.execve(command[0], command, environment())  # noqa: S606 - the command is built above
        case ["checkov", *arguments]:
            sys.exit(check_templates(*arguments))
        case ["install"]:
            ministack_interpreter()
            subprocess.run(sam_command("--version"), check=True, env=environment())
        case _:
            sys.exit("usage: python -m local.tools (sam <arguments> | checkov <arguments> | install)")


if __name__ == "__main__":
    main()
