"""The systemd units, and the files from which the container image is built."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


@pytest.fixture
def systemd_analyze() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    return program


def copy_units(folder: Path) -> list[Path]:
    """Copy the units to a folder, and replace the path of the program with that of this installation."""
    units = []
    for path in [*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")]:
        unit = folder / path.name
        unit.write_text(path.read_text().replace("/opt/eventcal/bin", str(Path(sys.executable).parent)))
        units.append(unit)
    return units


def test_systemd_accepts_the_units(systemd_analyze: str, tmp_path: Path) -> None:
    units = copy_units(tmp_path)
    assert len(units) == 3
    done = subprocess.run(  # noqa: S603 - constant program
        [systemd_analyze, "verify", "--recursive-errors=no", *units], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_service_is_sandboxed(systemd_analyze: str, tmp_path: Path) -> None:
    copy_units(tmp_path)
    done = subprocess.run(  # noqa: S603 - constant program
        [systemd_analyze, "security", "--offline=true", "--threshold=25", tmp_path / "eventcal.service"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_image_is_built_from_files_that_exist_and_suffice(tmp_path: Path) -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, flags=re.MULTILINE)
        for source in line.split()[:-1]
    ]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    assert {f"!{source}" for source in sources} <= set(ignored)
    for source in sources:
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / source, tmp_path / source)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "."]
    subprocess.run(build, check=True, cwd=tmp_path)  # noqa: S603 - constant program
    [wheel] = tmp_path.glob("eventcal-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "eventcal/web/templates/pages/login.html",
        "eventcal/translations/de/LC_MESSAGES/messages.mo",
        "eventcal/web/api/openapi/openapi.json",
    } <= names
