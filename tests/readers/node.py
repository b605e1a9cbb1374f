"""Calendar libraries of JavaScript as readers: ical.js and node-ical, in one process of Node that answers line by line.

They are installed from the lock in tests/node, once for a test run and outside of the checkout.
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
"""The oldest major version of Node that the locked libraries run on."""

Json = dict[str, Any]


@dataclass(frozen=True)
class NodeReader:
    """A running read.mjs, which says what it is asked and what it answers."""

    process: subprocess.Popen[bytes]

    def ask(self, request: Json) -> Json:
        """Give the answer to one request; AssertionError with the library's own words where it could not read."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        # In ASCII: Node takes some characters of Unicode for the end of a line.
        self.process.stdin.write(json.dumps(request).encode("ascii") + b"\n")
        self.process.stdin.flush()
        answer: Json = json.loads(self.process.stdout.readline() or b'{"error": "Node ended"}')
        assert "error" not in answer, answer["error"]
        return answer

    def offsets(self, vtimezone: str, walls: Sequence[str]) -> list[int]:
        """Give the seconds east of UTC that ical.js finds in a VTIMEZONE for each local time."""
        found: list[int] = self.ask({"reader": "zone", "vtimezone": vtimezone, "walls": list(walls)})["offsets"]
        return found


@contextmanager
def node_reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeReader]:
    """Give a reader that runs until the end; skips the test where the machine has no Node, or none that will do."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node or npm is not installed: the calendar libraries of JavaScript read nothing here")
    version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout  # noqa: S603 - Node
    if int(version.lstrip("v").partition(".")[0]) < OLDEST:
        pytest.skip(f"node is {version.strip()}: the calendar libraries of JavaScript need version {OLDEST} or later")
    folder = _installed(tmp_path_factory, npm)
    # The machine's zone is odd on purpose: whoever relies on it is found out.
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
    """Give the folder of this run in which the libraries are; the first worker to come installs them."""
    base = tmp_path_factory.getbasetemp()
    # A worker of xdist has a folder of its own within the run's.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "node"
    folder.mkdir(exist_ok=True)
    with (folder / "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            for name in FILES:
                shutil.copyfile(SOURCES / name, folder / name)
            # What was fetched once is not fetched again, so that the tests then run without a network, too.
            arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
            done = subprocess.run([npm, *arguments], cwd=folder, check=False, capture_output=True, text=True)  # noqa: S603 - npm
            assert done.returncode == 0, f"npm ci failed: {done.stdout}{done.stderr}"
            (folder / "installed").touch()
    return folder
