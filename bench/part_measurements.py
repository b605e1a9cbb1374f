"""Measuring the parts in one process: runs pytest-benchmark and reads its figures."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.datasets import Dataset
from bench.figures import Figure, Figures

_BENCH_FOLDER = Path(__file__).parent
_PYTEST_OPTIONS = (
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


def measure_parts(world: Dataset, figures: Figures, *, rounds: int) -> None:
    """Record the figures that pytest-benchmark measures in bench/test_*.py on this world. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder, "parts.json")
        environment = os.environ | {"BENCH_DATASET": json.dumps(world.as_json()), "BENCH_ROUNDS": str(rounds)}
        command = [sys.executable, "-m", "pytest", str(_BENCH_FOLDER), *_PYTEST_OPTIONS, f"--benchmark-json={file}"]
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr, cwd=_BENCH_FOLDER.parent)  # noqa: S603 - pytest
        for one in json.loads(file.read_text())["benchmarks"]:
            stats = one["stats"]
            figures.add(_figure_name(one["name"]), Figure(stats["median"], "s", stats["min"], stats["rounds"]))


def _figure_name(test: str) -> str:
    """Return a test's name as a sentence, with its parameter without brackets."""
    return test.removeprefix("test_").replace("_", " ").replace("[", " ").replace("]", "")
