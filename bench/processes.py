"""What a process and its children cost: CPU to the nanosecond, and resident memory. Linux only."""

import ctypes
import ctypes.util
import os
import signal
import time
from pathlib import Path

_LIBC = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
_PR_SET_PDEATHSIG = 1


def family(pid: int) -> tuple[int, ...]:
    """Return a process and all that it started, and they started, as long as they run."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                # What follows the command's name in its brackets: state, parent.
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return tuple(found)


def cpu_clock(pid: int) -> int:
    """Return the clock that counts what all threads of a process had of the CPU, those that ended among them.

    clock_getcpuclockid(3). /proc/PID/stat counts in hundredths of a second, and schedstat loses threads that ended.
    """
    clock = ctypes.c_int()
    error = _LIBC.clock_getcpuclockid(pid, ctypes.byref(clock))
    if error:
        raise ProcessLookupError(error, os.strerror(error))
    return clock.value


def cpu_nanoseconds(clocks: tuple[int, ...]) -> int:
    """Return what processes had of the CPU by now, in user and system mode."""
    return sum(time.clock_gettime_ns(clock) for clock in clocks)


def resident_bytes(pid: int) -> int:
    """Return how much memory of a process is resident (VmRSS)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


def end_with_parent() -> None:
    """Ask the kernel to send this process SIGTERM when its parent is gone, however that came (prctl(2))."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
