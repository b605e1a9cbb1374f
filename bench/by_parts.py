"""Measuring the parts in one process: runs pytest-benchmark and reads its figures."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure, Figures
from bench.worlds import World

_HERE = Path(__file__).parent
_OPTIONS = (
    "--quiet",
    # Disable plug-ins that are only useful for tests: random order, cache and time limit.
    "-p",
    "no:randomly",
    "-p",
    "no:cacheprovider",
    "--timeout=0",
    # Measure CPU time, not wall-clock time.
    "--benchmark-timer=time.process_time",
    "--benchmark-columns=min,median,rounds",
    "--benchmark-sort=name",
)


def measure_parts(world: World, figures: Figures, *, rounds: int) -> None:
    """Record the figures that pytest-benchmark measures in bench/test_*.py on this world. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder, "parts.json")
        environment = os.environ | {"BENCH_WORLD": json.dumps(world.facts()), "BENCH_ROUNDS": str(rounds)}
        command = [sys.executable, "-m", "pytest", str(_HERE), *_OPTIONS, f"--benchmark-json={file}"]
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr, cwd=_HERE.parent)  # noqa: S603 - pytest
        for one in json.loads(file.read_text())["benchmarks"]:
            stats = one["stats"]
            figures.note(_name(one["name"]), Figure(stats["median"], "s", stats["min"], stats["rounds"]))


def _name(test: str) -> str:
    """Return a test's name as a sentence, with its parameter without brackets."""
    return test.removeprefix("test_").replace("_", " ").replace("[", " ").replace("]", "")
