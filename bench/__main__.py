"""The commands `python -m bench`, which measures and prints a table, and `python -m bench compare OLD NEW`."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from bench.bounds import check_bounds
from bench.databases import Databases, open_databases
from bench.datasets import Dataset, copy_dataset, create_first_dataset, create_larger_dataset
from bench.figures import Figures
from bench.http_measurements import (
    FULL_EFFORT,
    LIST_PATH,
    PAGE_PATHS,
    QUICK_EFFORT,
    Effort,
    measure_changes,
    measure_edits,
    measure_growth,
    measure_memory,
    measure_sizes,
    measure_unchanged,
    open_measured_server,
)
from bench.part_measurements import measure_parts
from bench.report import format_comparison, format_table
from bench.statement_counts import count_statements
from eventcal.kit.clock import SystemClock

_RESULTS = Path(__file__).parent / "results"
_LIBRARIES = ("flask", "granian", "icalendar", "orjson", "sqlalchemy")
_DATABASE_KINDS = ("sqlite", "postgresql")


@click.group(invoke_without_command=True)
@click.option("--quick", is_flag=True, help="Fewer requests, and no world of 100,000 talks.")
@click.option("--strict", is_flag=True, help="Exit with 1 where a bound is missed.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the figures go; bench/results/…")
@click.pass_context
def main(context: click.Context, *, quick: bool, strict: bool, out: Path | None) -> None:
    """Measure, print one table, and save the figures. BENCH_DATABASE selects the kind of database."""
    if context.invoked_subcommand is not None:
        return
    kind = os.environ.get("BENCH_DATABASE", "sqlite")
    if kind not in _DATABASE_KINDS:
        raise click.UsageError(f"BENCH_DATABASE must be one of {', '.join(_DATABASE_KINDS)}, and is {kind!r}.")
    made = _describe_run(kind)
    figures = Figures()
    with open_databases(kind) as databases:
        _BenchmarkRun(databases, figures, QUICK_EFFORT if quick else FULL_EFFORT).measure(grow=not quick)
    verdicts = check_bounds(figures)
    out = out or _RESULTS / f"{made['at'].replace(':', '')}-{made['commit'][:10]}-{kind}.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"made": made, "figures": figures.as_json()}, indent=1) + "\n")
    click.echo(format_table(verdicts))
    missed = sum(one.is_met is False for one in verdicts)
    click.echo(f"\n{missed} over, on {kind}. All figures: {out}")
    context.exit(1 if strict and missed else 0)


@main.command()
@click.argument("old", type=click.File())
@click.argument("new", type=click.File())
def compare(old: Any, new: Any) -> None:  # noqa: ANN401 - open files
    """Print the figures of two runs side by side."""
    runs = [json.load(file) for file in (old, new)]
    for name, run in zip(("old", "new"), runs, strict=True):
        click.echo(f"{name}: {', '.join(f'{key} {value}' for key, value in run['made'].items())}")
    click.echo()
    click.echo(format_comparison(*(Figures.from_json(run["figures"]) for run in runs)))


@dataclass(frozen=True)
class _BenchmarkRun:
    """The databases, figures and number of measurements of a run."""

    databases: Databases
    figures: Figures
    effort: Effort

    def measure(self, *, grow: bool) -> None:
        """Measure everything. `grow` includes the dataset of 100,000 talks."""
        _report_stage("a world of 1,000 talks")
        first = create_first_dataset(self.databases, "first")
        self._measure_small(self._copy_dataset(first, "small"))
        _report_stage("a world of 10,000 talks")
        self._measure_middle(create_larger_dataset(self.databases, first, "middle", talks=10_000))
        if grow:
            _report_stage("a world of 100,000 talks")
            self._measure_growth(
                self._copy_dataset(first, "grown"), create_larger_dataset(self.databases, first, "large", talks=100_000)
            )
        _report_stage("statements, and the parts in one process")
        count_statements(self._copy_dataset(first, "counted"), self.figures)
        measure_parts(self._copy_dataset(first, "parts"), self.figures, rounds=self.effort.single_requests)

    def _measure_small(self, world: Dataset) -> None:
        with open_measured_server(world, self.effort) as here:
            paths = {"feed of 1000": world.event_feed, "/talks": LIST_PATH}
            measure_unchanged(here, self.figures, folder=self.databases.folder / "floor-small", paths=paths)
            measure_sizes(here, self.figures, name="feed of 1000", path=world.event_feed)
            measure_unchanged(here, self.figures, folder=self.databases.folder / "floor-pages", paths=PAGE_PATHS)
            for name, path in PAGE_PATHS.items():
                measure_sizes(here, self.figures, name=name, path=path)
            for name, path in paths.items():
                measure_changes(here, self.figures, name=name, path=path)
            measure_edits(here, self.figures)

    def _measure_middle(self, world: Dataset) -> None:
        with open_measured_server(world, self.effort) as here:
            paths = {"feed of 10000": world.full_feed}
            measure_unchanged(here, self.figures, folder=self.databases.folder / "floor-middle", paths=paths)
            measure_changes(here, self.figures, name="feed of 10000", path=world.full_feed)
            measure_memory(here, self.figures)

    def _measure_growth(self, small: Dataset, large: Dataset) -> None:
        with open_measured_server(small, self.effort) as one, open_measured_server(large, self.effort) as other:
            measure_growth(one, other, self.figures, paths={"event feed": small.event_feed, "talk list": LIST_PATH})

    def _copy_dataset(self, world: Dataset, name: str) -> Dataset:
        return copy_dataset(self.databases, world, name)


def _describe_run(kind: str) -> dict[str, str]:
    """Return the commit, software versions, hardware and time of a run."""
    return {
        "at": SystemClock().now().isoformat(timespec="seconds"),
        "commit": _describe_commit(),
        "database": kind,
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _describe_processor(),
    }


def _describe_commit() -> str:
    """Return the commit, followed by "+" if the working tree has changes, or "unknown" outside a checkout."""
    try:
        return _run_git("rev-parse", "HEAD") + (
            "+" if _run_git("status", "--porcelain", "--untracked-files=no") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _run_git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=_RESULTS.parent)  # noqa: S603 - constant command
    return done.stdout.strip()


def _describe_processor() -> str:
    """Return the name of the processor, and the number of processors that are available to this process."""
    described: Mapping[str, str] = dict(
        line.replace("\t", "").split(": ", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ": " in line
    )
    return f"{len(os.sched_getaffinity(0))} x {described.get('model name', platform.machine())}"


def _report_stage(what: str) -> None:
    sys.stderr.write(f"{what}\n")


if __name__ == "__main__":
    main(prog_name="python -m bench")
