"""Records which files of the package are used by a block of code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import eventcal

_PACKAGE = f"{Path(eventcal.__file__).parent}/"


@contextmanager
def trace_files() -> Iterator[set[str]]:
    """Provide a set to which the paths of all called files of the package are added, relative to the package."""
    entered: set[str] = set()

    def trace(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(_PACKAGE):
            entered.add(frame.f_code.co_filename.removeprefix(_PACKAGE))

    before = sys.getprofile()
    sys.setprofile(trace)
    try:
        yield entered
    finally:
        sys.setprofile(before)
