"""How long a cold start spends on importing the handlers: the deployable against an ordinary installation.

The ordinary one is what `pip install --target` and a copy of functions/ give: everything, and no bytecode, as SAM's own
Python builder ships it. Each figure is the median of fresh processes that write no bytecode, as in Lambda, where the
code is read-only. The last line is the one to watch.
"""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from deployable.bundle import ROOT, bundle, install, lambda_architecture, local_architecture

RUNS = 9
#: The ordinary installation's time that the deployable may take.
TARGET = 0.35

TIMED = """
import sys, time
sys.path.insert(0, sys.argv[1])
start = time.perf_counter()
import orders.handler, resume.handler, shipments.handler
print(time.perf_counter() - start, len(sys.modules))
"""


def timed(folder: Path) -> tuple[float, int]:
    """Median seconds for importing the handlers from `folder`, and the number of modules that were imported."""
    seconds, modules = [], 0
    for _ in range(RUNS + 1):
        command = [sys.executable, "-I", "-S", "-B", "-c", TIMED, str(folder)]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={}).stdout
        taken, modules = float(printed.split()[0]), int(printed.split()[1])
        seconds.append(taken)
    return statistics.median(seconds[1:]), modules  # the first one warmed the file cache


def size(folder: Path) -> tuple[int, float]:
    """Number of files below `folder`, and their megabytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return len(files), sum(path.stat().st_size for path in files) / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        plain, built = Path(scratch) / "plain", Path(scratch) / "built"
        install(plain, local_architecture())
        for package in (ROOT / "functions").iterdir():
            if package.is_dir():
                copy = plain / package.name
                copy.mkdir()
                for source in package.rglob("*.py"):
                    (copy / source.relative_to(package)).parent.mkdir(parents=True, exist_ok=True)
                    (copy / source.relative_to(package)).write_bytes(source.read_bytes())
        bundle(built, local_architecture())

        print(f"Cold import of the handlers, median of {RUNS} processes ({lambda_architecture()}):")
        medians = {}
        for name, folder in (("plain", plain), ("built", built)):
            medians[name], modules = timed(folder)
            files, megabytes = size(folder)
            print(f"  {name}  {medians[name] * 1000:6.0f} ms  {modules} modules  {files} files  {megabytes:.1f} MB")
    ratio = medians["built"] / medians["plain"]
    print(f"ratio {ratio:.2f} (target at most {TARGET})")
    sys.exit(ratio > TARGET)


if __name__ == "__main__":
    main()
