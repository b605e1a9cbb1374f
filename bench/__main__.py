"""The commands of the benchmarks: `python -m bench`, and its commands.

The commands are `availability`, `compare`, `hostile`, `staleness` and `writers`.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from bench.availability import format_availability, measure_availability
from bench.bounds import check_bounds
from bench.command_usage import measure_command
from bench.databases import Databases, open_databases
from bench.datasets import Dataset, copy_dataset, create_first_dataset, create_larger_dataset
from bench.figures import Figure, Figures
from bench.hostile import measure_hostile_requests
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
from bench.large_data import measure_large_data
from bench.part_measurements import measure_parts
from bench.report import format_comparison, format_growth, format_table
from bench.servers import find_nginx, serve_dataset
from bench.staleness import format_trials, open_staleness_check
from bench.statement_counts import count_statements
from bench.writers import format_writers, measure_http, measure_threads
from eventcal.kit.clock import SystemClock
from eventcal.kit.text import format_count

_RESULTS = Path(__file__).parent / "results"
_LIBRARIES = ("flask", "granian", "icalendar", "orjson", "sqlalchemy")
_DATABASE_KINDS = ("sqlite", "postgresql")
_GROWTH_SIZES = (100, 1_000, 10_000, 100_000)
_HELP_RUNS = 5


@click.group(invoke_without_command=True)
@click.option("--quick", is_flag=True, help="Send fewer requests, and omit the growth and the load of large data.")
@click.option("--strict", is_flag=True, help="Exit with status 1 if a bound is exceeded.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=_RESULTS,
    help="Folder for the results; by default bench/results.",
)
@click.pass_context
def main(context: click.Context, *, quick: bool, strict: bool, out: Path) -> None:
    """Measure, print a table for each database system, and save the figures.

    BENCH_DATABASE=sqlite or BENCH_DATABASE=postgresql restricts the run to one database system.
    """
    if context.invoked_subcommand is not None:
        return
    if find_nginx() is None:
        click.echo("nginx is not installed; the comparison with nginx is skipped.")
    exceeded = [_measure_and_report(kind, out, quick=quick) for kind in _database_kinds()]
    context.exit(1 if strict and any(exceeded) else 0)


def _database_kinds() -> Sequence[str]:
    """Return the database system in BENCH_DATABASE, or else all database systems."""
    kind = os.environ.get("BENCH_DATABASE")
    if kind is None:
        return _DATABASE_KINDS
    if kind not in _DATABASE_KINDS:
        raise click.UsageError(f"BENCH_DATABASE must be one of {', '.join(_DATABASE_KINDS)}, and is {kind!r}.")
    return (kind,)


def _measure_and_report(kind: str, folder: Path, *, quick: bool) -> int:
    """Measure on one database system, and return the number of bounds that are exceeded."""
    made = _describe_run(kind)
    figures = Figures()
    with open_databases(kind) as databases:
        _BenchmarkRun(databases, figures, QUICK_EFFORT if quick else FULL_EFFORT).measure(grow=not quick)
    verdicts = check_bounds(figures, kind)
    folder.mkdir(exist_ok=True)
    out = folder / f"{made['at'].replace(':', '')}-{made['commit'][:10]}-{kind}.json"
    out.write_text(json.dumps({"made": made, "figures": figures.as_json()}, indent=1) + "\n")
    exceeded = sum(one.is_met is False for one in verdicts)
    click.echo(format_table(verdicts))
    if not quick:
        click.echo(f"\n{format_growth(figures, _GROWTH_SIZES)}")
    click.echo(f"\n{exceeded} over, on {kind}. All figures: {out}\n")
    return exceeded


@main.command()
@click.option("--reads", default=100_000, show_default=True, help="Number of reads on each database system.")
@click.pass_context
def staleness(context: click.Context, *, reads: int) -> None:
    """Check that no response is stale, and exit with status 1 if one is. BENCH_DATABASE works as without a command."""
    stale = 0
    for kind in _database_kinds():
        with open_databases(kind) as databases, open_staleness_check(databases) as check:
            trials = list(check.run_trials(reads))
        stale += sum(one.counts.stale for one in trials)
        click.echo(f"{format_trials(trials)}\n\n{sum(one.counts.reads for one in trials)} reads on {kind}\n")
    click.echo(f"{stale} stale responses")
    context.exit(1 if stale else 0)


@main.command()
@click.pass_context
def availability(context: click.Context) -> None:
    """Measure response times while other clients are slow, and exit with status 1 if a bound is exceeded.

    BENCH_DATABASE works as without a command.
    """
    is_met = True
    for kind in _database_kinds():
        with open_databases(kind) as databases:
            first = create_first_dataset(databases, "first")
            dataset = create_larger_dataset(databases, first, "middle", talks=10_000)
            with serve_dataset(dataset) as server:
                measured = list(measure_availability(server, dataset))
        click.echo(f"{kind}\n{format_availability(measured)}\n")
        is_met = is_met and all(one.is_met for one in measured)
    context.exit(0 if is_met else 1)


@main.command()
@click.pass_context
def writers(context: click.Context) -> None:
    """Measure how long many writers wait, and exit with status 1 if a bound is exceeded.

    BENCH_DATABASE works as without a command.
    """
    is_met = True
    for kind in _database_kinds():
        with open_databases(kind) as databases:
            dataset = create_first_dataset(databases, "first")
            measured = [measure_threads(dataset)]
            for workers in (1, 2):
                with serve_dataset(dataset, workers=workers) as server:
                    measured.append(measure_http(f"clients, {format_count(workers, 'worker')}", server, dataset))
        click.echo(f"{kind}\n{format_writers(measured)}\n")
        is_met = is_met and all(one.is_met for one in measured)
    context.exit(0 if is_met else 1)


@main.command()
@click.pass_context
def hostile(context: click.Context) -> None:
    """Measure the memory during 10,000 distinct hostile requests, and exit with status 1 if the bound is exceeded.

    BENCH_DATABASE works as without a command.
    """
    is_met = True
    for kind in _database_kinds():
        figures = Figures()
        with open_databases(kind) as databases:
            measure_hostile_requests(databases, figures)
        verdicts = check_bounds(figures, kind)
        click.echo(f"{kind}\n{format_table(verdicts)}\n")
        is_met = is_met and all(one.is_met for one in verdicts)
    context.exit(0 if is_met else 1)


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
        _report_stage("a dataset of 1,000 talks")
        first = create_first_dataset(self.databases, "first")
        self._measure_help(first)
        self._measure_small(self._copy_dataset(first, "small"))
        _report_stage("a dataset of 10,000 talks")
        self._measure_middle(create_larger_dataset(self.databases, first, "middle", talks=10_000))
        if grow:
            _report_stage("datasets of 100 to 100,000 talks")
            self._measure_growth(first)
            _report_stage("loading and rendering 20,000 talks")
            measure_large_data(self._copy_dataset(first, "loaded"), self.figures, self.databases.folder)
        _report_stage("statements, and the parts in one process")
        count_statements(self._copy_dataset(first, "counted"), self.figures)
        measure_parts(self._copy_dataset(first, "parts"), self.figures, rounds=self.effort.single_requests)

    def _measure_help(self, dataset: Dataset) -> None:
        usages = [measure_command(["--help"], dataset.environment()) for _ in range(_HELP_RUNS)]
        self.figures.add("cpu of --help", Figure.from_values([one.cpu_seconds for one in usages], "s"))
        self.figures.add("memory of --help", Figure.from_values([one.peak_bytes for one in usages], "B"))

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

    def _measure_growth(self, first: Dataset) -> None:
        datasets = [self._create_dataset_of_size(first, talks) for talks in _GROWTH_SIZES]
        with ExitStack() as stack:
            servers = [stack.enter_context(open_measured_server(dataset, self.effort)) for dataset in datasets]
            measure_growth(servers, self.figures, paths={"event feed": first.event_feed, "talk list": LIST_PATH})

    def _create_dataset_of_size(self, first: Dataset, talks: int) -> Dataset:
        name = f"growth_{talks}"
        if talks < first.talks:
            return create_first_dataset(self.databases, name, talks=talks)
        return create_larger_dataset(self.databases, first, name, talks=talks)

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
