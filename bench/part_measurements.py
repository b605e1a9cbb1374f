"""Measurements of parts of the app in one process, made by pytest-benchmark."""

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
    # Random order, the cache and the time limit of pytest are only useful for tests.
    "-p",
    "no:randomly",
    "-p",
    "no:cacheprovider",
    "--timeout=0",
    # CPU time is measured instead of wall-clock time.
    "--benchmark-timer=time.process_time",
    "--benchmark-columns=min,median,rounds",
    "--benchmark-sort=name",
)


def measure_parts(world: Dataset, figures: Figures, *, rounds: int) -> None:
    """Record the figures of bench/test_*.py by pytest-benchmark. Raise CalledProcessError if a benchmark fails."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder, "parts.json")
        environment = os.environ | {"BENCH_DATASET": json.dumps(world.as_json()), "BENCH_ROUNDS": str(rounds)}
        command = [sys.executable, "-m", "pytest", str(_BENCH_FOLDER), *_PYTEST_OPTIONS, f"--benchmark-json={file}"]
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr, cwd=_BENCH_FOLDER.parent)  # noqa: S603 - pytest
        for one in json.loads(file.read_text())["benchmarks"]:
            stats = one["stats"]
            figures.add(_figure_name(one["name"]), Figure(stats["median"], "s", stats["min"], stats["rounds"]))


def _figure_name(test: str) -> str:
    """Return the name of a benchmark as a sentence, with its parameter but without brackets."""
    return test.removeprefix("test_").replace("_", " ").replace("[", " ").replace("]", "")
