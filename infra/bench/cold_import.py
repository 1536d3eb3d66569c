"""Measure how long a cold start spends on importing the handlers: the deployable against an ordinary installation.

The ordinary installation is what `pip install --target` and a copy of functions/ give: everything, and no bytecode, as
SAM's own Python builder ships it. Each figure is the median of new processes that write no bytecode, as in Lambda,
where the code is read-only. The last line is the result; the exit status is 1 if it exceeds the target.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from deployable.bundle import FUNCTIONS, bundle, handler_modules, install, lambda_architecture, local_architecture

RUNS = 9
#: The largest fraction of the ordinary installation's time that the deployable may take.
TARGET = 0.35

TIMED = f"""
import sys, time
sys.path.insert(0, sys.argv[1])
start = time.perf_counter()
import {", ".join(handler_modules())}
print(time.perf_counter() - start, len(sys.modules))
"""


def import_time(folder: Path) -> tuple[float, int]:
    """Return the median seconds that importing the handlers from `folder` takes, and how many modules it imports."""
    seconds, modules = [], 0
    for _ in range(RUNS + 1):
        command = [sys.executable, "-I", "-S", "-B", "-c", TIMED, str(folder)]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={}).stdout
        seconds.append(float(printed.split()[0]))
        modules = int(printed.split()[1])
    return statistics.median(seconds[1:]), modules  # the first run filled the file cache


def size(folder: Path) -> tuple[int, float]:
    """Return the number of files below `folder`, and their megabytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return len(files), sum(path.stat().st_size for path in files) / 1e6


def copy_sources(destination: Path) -> None:
    """Copy the packages of functions/ to `destination`, without bytecode."""
    for source in FUNCTIONS.rglob("*.py"):
        copy = destination / source.relative_to(FUNCTIONS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source.read_bytes())


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        plain, built = Path(scratch) / "plain", Path(scratch) / "built"
        install(plain, local_architecture())
        copy_sources(plain)
        bundle(built, local_architecture())

        print(f"Cold import of the handlers, median of {RUNS} processes ({lambda_architecture()}):")
        medians = {}
        for name, folder in (("plain", plain), ("built", built)):
            medians[name], modules = import_time(folder)
            files, megabytes = size(folder)
            print(f"  {name}  {medians[name] * 1000:6.0f} ms  {modules} modules  {files} files  {megabytes:.1f} MB")
    ratio = medians["built"] / medians["plain"]
    print(f"ratio {ratio:.2f} (target at most {TARGET})")
    sys.exit(ratio > TARGET)


if __name__ == "__main__":
    main()
