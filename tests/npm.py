"""Node packages for tests, installed from a lock file once per test run and outside the checkout."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

_PACKAGE_FILES = ("package.json", "package-lock.json", ".npmrc")
# npm prefers its download cache, so that the tests also run offline after the first run.
_NPM_ARGUMENTS = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")


def install_packages(sources: Path, tmp_path_factory: pytest.TempPathFactory, *, npm: str) -> Path:
    """Return the folder with the packages of a lock file. The first worker installs the packages."""
    base = tmp_path_factory.getbasetemp()
    # Each xdist worker has its own subfolder of the temporary folder of the run.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"npm-{sources.name}"
    folder.mkdir(exist_ok=True)
    with (folder / "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            for name in _PACKAGE_FILES:
                shutil.copyfile(sources / name, folder / name)
            done = subprocess.run([npm, *_NPM_ARGUMENTS], cwd=folder, check=False, capture_output=True, text=True)  # noqa: S603 - npm
            assert done.returncode == 0, f"npm ci failed: {done.stdout}{done.stderr}"
            (folder / "installed").touch()
    return folder
