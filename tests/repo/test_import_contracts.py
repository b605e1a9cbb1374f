"""Tests that the import contracts in pyproject.toml are kept, and that each contract detects a violation."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A violation of each contract: a file, and a line that is added to the file.
VIOLATIONS = {
    "Imports only go down": ("eventcal/kit/ids.py", "import eventcal.events.rules"),
    "Within web, imports only go down": ("eventcal/web/i18n.py", "import eventcal.web.http.errors"),
    "Within a floor, no circles": ("eventcal/kit/clock.py", "import eventcal.kit.database"),
    "Only the web knows HTTP": ("eventcal/feeds/stored_json_queries.py", "import flask"),
    "Rules, entries and errors are pure": ("eventcal/talks/rules.py", "import sqlalchemy"),
    "icalendar belongs to the feeds": ("eventcal/web/http/urls.py", "import icalendar"),
    "Migrations stand alone": ("eventcal/migrations/env.py", "import eventcal.kit.clock"),
}


def _run_import_linter(root: Path) -> tuple[int, dict[str, str]]:
    """Run import-linter in `root`, and return its exit code and the result of each contract."""
    linter = Path(sys.executable).parent / "lint-imports"
    environment = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"}
    run = subprocess.run(  # noqa: S603 - constant command
        [linter, "--no-cache"], cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    return run.returncode, dict(re.findall(r"^(.+?) (KEPT|BROKEN)", run.stdout, re.MULTILINE))


@pytest.fixture
def package_copy(tmp_path: Path) -> Path:
    """Return the folder of a copy of the package, to which tests may add violations."""
    shutil.copytree(ROOT / "eventcal", tmp_path / "eventcal", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_import_contract_is_kept() -> None:
    assert _run_import_linter(ROOT) == (0, dict.fromkeys(VIOLATIONS, "KEPT"))


def test_every_import_contract_detects_a_violation(package_copy: Path) -> None:
    for name, line in VIOLATIONS.values():
        with (package_copy / name).open("a") as file:
            file.write(f"\n{line}\n")
    code, said = _run_import_linter(package_copy)
    assert (code, said) == (1, dict.fromkeys(VIOLATIONS, "BROKEN"))


def test_package_without_a_layer_is_rejected(package_copy: Path) -> None:
    (package_copy / "eventcal" / "newcomer").mkdir()
    (package_copy / "eventcal" / "newcomer" / "__init__.py").write_text("")
    assert _run_import_linter(package_copy)[0] == 1
