"""Measure how long a cold start spends on importing the handlers: the deployable against an ordinary installation.

The size of the zipped deployable is printed too: each deployment uploads it, and Lambda loads it before a cold start.

The ordinary installation is what `pip install --target` and a copy of functions/ give: everything, and no bytecode, as
SAM's own Python builder ships it. Each figure is the median of the processor time of new processes, which is the same
on a busy machine. They write no bytecode, as in Lambda, where the code is read-only. The exit status is 1 if an aim is
missed.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from deployable.bundle import FUNCTIONS, bundle, handler_modules, install, lambda_architecture, local_architecture

RUNS = 9
#: The largest fraction of the ordinary installation's time that the deployable may take, and the largest zip in MB.
TARGET = 0.35
LARGEST_ZIP = 10

TIMED = f"""
import sys, time
sys.path.insert(0, sys.argv[1])
start = time.process_time()
import {", ".join(handler_modules())}
print(time.process_time() - start, len(sys.modules))
"""


def import_times(*folders: Path) -> list[tuple[float, int]]:
    """Return for each folder the median seconds of processor time of importing the handlers, and the modules.

    The folders take turns, so that what else the machine does meanwhile slows them all.
    """
    seconds: dict[Path, list[float]] = {folder: [] for folder in folders}
    modules: dict[Path, int] = {}
    for _ in range(RUNS + 1):
        for folder in folders:
            command = [sys.executable, "-I", "-S", "-B", "-c", TIMED, str(folder)]
            printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={}).stdout
            seconds[folder].append(float(printed.split()[0]))
            modules[folder] = int(printed.split()[1])
    # The first run filled the file cache.
    return [(statistics.median(seconds[folder][1:]), modules[folder]) for folder in folders]


def size(folder: Path) -> tuple[int, float]:
    """Return the number of files below `folder`, and their megabytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return len(files), sum(path.stat().st_size for path in files) / 1e6


def zipped(folder: Path, scratch: Path) -> float:
    """Return the megabytes of the folder as a zip file."""
    return Path(shutil.make_archive(str(scratch / "deployable"), "zip", folder)).stat().st_size / 1e6


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
        times = import_times(plain, built)
        for name, folder, (median, modules) in zip(("plain", "built"), (plain, built), times, strict=True):
            files, megabytes = size(folder)
            print(f"  {name}  {median * 1000:6.0f} ms  {modules} modules  {files} files  {megabytes:.1f} MB")
        megabytes = zipped(built, Path(scratch))
    ratio = times[1][0] / times[0][0]
    print(f"  ratio {ratio:.2f} (at most {TARGET}); zipped {megabytes:.1f} MB (at most {LARGEST_ZIP})")
    sys.exit(ratio > TARGET or megabytes > LARGEST_ZIP)


if __name__ == "__main__":
    main()
