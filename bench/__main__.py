"""`python -m bench` measures and prints one table; `python -m bench compare OLD NEW` compares two runs."""

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

from bench.bounds import judge
from bench.by_http import (
    FULL,
    LIST,
    PAGES,
    QUICK,
    Effort,
    measure_changes,
    measure_edits,
    measure_growth,
    measure_memory,
    measure_sizes,
    measure_steady,
    measuring,
)
from bench.by_parts import measure_parts
from bench.counting import count_statements
from bench.databases import Databases, open_databases
from bench.figures import Figures
from bench.report import comparison, table
from bench.worlds import World, copy_world, make_first, make_larger
from eventcal.kit.clock import SystemClock

_RESULTS = Path(__file__).parent / "results"
_LIBRARIES = ("flask", "granian", "icalendar", "orjson", "sqlalchemy")
_KINDS = ("sqlite", "postgresql")


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
    if kind not in _KINDS:
        raise click.UsageError(f"BENCH_DATABASE must be one of {', '.join(_KINDS)}, and is {kind!r}.")
    made = _circumstances(kind)
    figures = Figures()
    with open_databases(kind) as databases:
        _Run(databases, figures, QUICK if quick else FULL).measure(grow=not quick)
    verdicts = judge(figures)
    out = out or _RESULTS / f"{made['at'].replace(':', '')}-{made['commit'][:10]}-{kind}.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"made": made, "figures": figures.as_json()}, indent=1) + "\n")
    click.echo(table(verdicts))
    missed = sum(one.holds is False for one in verdicts)
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
    click.echo(comparison(*(Figures.from_json(run["figures"]) for run in runs)))


@dataclass(frozen=True)
class _Run:
    """One run: its databases, its figures, and how often it measures."""

    databases: Databases
    figures: Figures
    effort: Effort

    def measure(self, *, grow: bool) -> None:
        """Measure everything. `grow`: include the world of 100,000 talks."""
        _begin("a world of 1,000 talks")
        first = make_first(self.databases, "first")
        self._small(self._copy(first, "small"))
        _begin("a world of 10,000 talks")
        self._middle(make_larger(self.databases, first, "middle", talks=10_000))
        if grow:
            _begin("a world of 100,000 talks")
            self._growth(self._copy(first, "grown"), make_larger(self.databases, first, "large", talks=100_000))
        _begin("statements, and the parts in one process")
        count_statements(self._copy(first, "counted"), self.figures)
        measure_parts(self._copy(first, "parts"), self.figures, rounds=self.effort.singles)

    def _small(self, world: World) -> None:
        with measuring(world, self.effort) as here:
            paths = {"feed of 1000": world.event, "/talks": LIST}
            measure_steady(here, self.figures, folder=self.databases.folder / "floor-small", paths=paths)
            measure_sizes(here, self.figures, name="feed of 1000", path=world.event)
            measure_steady(here, self.figures, folder=self.databases.folder / "floor-pages", paths=PAGES)
            for name, path in PAGES.items():
                measure_sizes(here, self.figures, name=name, path=path)
            for name, path in paths.items():
                measure_changes(here, self.figures, name=name, path=path)
            measure_edits(here, self.figures)

    def _middle(self, world: World) -> None:
        with measuring(world, self.effort) as here:
            paths = {"feed of 10000": world.whole}
            measure_steady(here, self.figures, folder=self.databases.folder / "floor-middle", paths=paths)
            measure_changes(here, self.figures, name="feed of 10000", path=world.whole)
            measure_memory(here, self.figures)

    def _growth(self, small: World, large: World) -> None:
        with measuring(small, self.effort) as one, measuring(large, self.effort) as other:
            measure_growth(one, other, self.figures, paths={"an event": small.event, "a page": LIST})

    def _copy(self, world: World, name: str) -> World:
        return copy_world(self.databases, world, name)


def _circumstances(kind: str) -> dict[str, str]:
    """Return the circumstances of a run: commit, versions, hardware and time."""
    return {
        "at": SystemClock().now().isoformat(timespec="seconds"),
        "commit": _commit(),
        "database": kind,
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
    }


def _commit() -> str:
    """Return the commit, with "+" if the working tree differs from it, or "unknown" outside a checkout."""
    try:
        return _git("rev-parse", "HEAD") + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=_RESULTS.parent)  # noqa: S603 - constant command
    return done.stdout.strip()


def _processor() -> str:
    """Return the name of the processor, and the number of processors that this process may use."""
    described: Mapping[str, str] = dict(
        line.replace("\t", "").split(": ", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ": " in line
    )
    return f"{len(os.sched_getaffinity(0))} x {described.get('model name', platform.machine())}"


def _begin(what: str) -> None:
    sys.stderr.write(f"{what}\n")


if __name__ == "__main__":
    main(prog_name="python -m bench")
