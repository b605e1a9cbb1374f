"""The import contracts of pyproject.toml hold, and each of them can fail."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What is added to which file, and the contract that must then be broken.
PLANTED = {
    "Imports only go down": ("eventcal/kit/ids.py", "import eventcal.events.rules"),
    "Within web, imports only go down": ("eventcal/web/i18n.py", "import eventcal.web.http.errors"),
    "Within a floor, no circles": ("eventcal/kit/clock.py", "import eventcal.kit.database"),
    "Only the web knows HTTP": ("eventcal/feeds/resources.py", "import flask"),
    "Rules, entries and errors are pure": ("eventcal/talks/rules.py", "import sqlalchemy"),
    "icalendar belongs to the feeds": ("eventcal/web/http/urls.py", "import icalendar"),
    "Migrations stand alone": ("eventcal/migrations/env.py", "import eventcal.kit.clock"),
}


def _lint(root: Path) -> tuple[int, dict[str, str]]:
    """Give the exit code of the linter in `root`, and what it says of each contract."""
    linter = Path(sys.executable).parent / "lint-imports"
    environment = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"}
    run = subprocess.run(  # noqa: S603 - our own linter on our own files
        [linter, "--no-cache"], cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    return run.returncode, dict(re.findall(r"^(.+?) (KEPT|BROKEN)", run.stdout, re.MULTILINE))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of the package that may be broken."""
    shutil.copytree(ROOT / "eventcal", tmp_path / "eventcal", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_holds() -> None:
    assert _lint(ROOT) == (0, dict.fromkeys(PLANTED, "KEPT"))


def test_every_contract_breaks_on_a_planted_violation(copy: Path) -> None:
    for name, line in PLANTED.values():
        with (copy / name).open("a") as file:
            file.write(f"\n{line}\n")
    code, said = _lint(copy)
    assert (code, said) == (1, dict.fromkeys(PLANTED, "BROKEN"))


def test_a_package_that_has_no_place_is_refused(copy: Path) -> None:
    (copy / "eventcal" / "newcomer").mkdir()
    (copy / "eventcal" / "newcomer" / "__init__.py").write_text("")
    assert _lint(copy)[0] == 1
