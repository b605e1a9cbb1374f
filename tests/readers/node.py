"""The JavaScript libraries ical.js and node-ical, in a Node process that replies line by line.

The packages are installed from the lock file in tests/node, once per test run and outside the checkout.
"""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SOURCES = Path(__file__).parents[1] / "node"
FILES = ("package.json", "package-lock.json", ".npmrc", "read.mjs")
OLDEST = 20
"""The oldest major version of Node that the locked packages support."""

Json = dict[str, Any]


@dataclass(frozen=True)
class NodeReader:
    """A running read.mjs process, which documents the requests and responses."""

    process: subprocess.Popen[bytes]

    def ask(self, request: Json) -> Json:
        """Return the response to a request. Raise AssertionError with the message of the library if parsing fails."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        # ASCII is required, because Node treats some Unicode characters as line ends.
        self.process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
        self.process.stdin.flush()
        answer: Json = json.loads(self.process.stdout.readline() or b'{"error": "Node ended"}')
        assert "error" not in answer, answer["error"]
        return answer

    def offsets(self, vtimezone: str, walls: Sequence[str]) -> list[int]:
        """Return the UTC offsets in seconds that ical.js finds in a VTIMEZONE component for each local time."""
        found: list[int] = self.ask({"reader": "zone", "vtimezone": vtimezone, "walls": list(walls)})["offsets"]
        return found


@contextmanager
def node_reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeReader]:
    """Provide a reader that runs until the end of the block. Skip the test if Node is missing or too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node or npm is not installed: the calendar libraries of JavaScript read nothing here")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout  # noqa: S603 - Node
    if int(version.lstrip("v").partition(".")[0]) < OLDEST:
        pytest.skip(f"node is {version.strip()}: the calendar libraries of JavaScript need version {OLDEST} or later")
    folder = _installed(tmp_path_factory, npm)
    # The unusual time zone reveals code that relies on the time zone of the machine.
    environment = {**os.environ, "TZ": "Asia/Kathmandu"}
    with (folder / f"{os.getpid()}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [node, "read.mjs"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    with process:
        try:
            yield NodeReader(process)
        finally:
            process.kill()


def _installed(tmp_path_factory: pytest.TempPathFactory, npm: str) -> Path:
    """Return the folder of the installed packages. The first worker installs the packages."""
    base = tmp_path_factory.getbasetemp()
    # Each xdist worker has its own subfolder of the temporary folder of the run.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "node"
    folder.mkdir(exist_ok=True)
    with (folder / "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            for name in FILES:
                shutil.copyfile(SOURCES / name, folder / name)
            # npm prefers its download cache, so that the tests also run offline after the first run.
            arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
            done = subprocess.run([npm, *arguments], cwd=folder, check=False, capture_output=True, text=True)  # noqa: S603 - npm
            assert done.returncode == 0, f"npm ci failed: {done.stdout}{done.stderr}"
            (folder / "installed").touch()
    return folder
