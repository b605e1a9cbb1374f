"""Resource usage and processors of a process and its children on Linux."""

import ctypes
import ctypes.util
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_LIBC = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
_PR_SET_PDEATHSIG = 1
_PROCESSORS = sorted(os.sched_getaffinity(0))


def list_process_tree(pid: int) -> tuple[int, ...]:
    """Return the ids of the process and of all its running descendants."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                # In /proc/PID/stat, the state and the parent's id follow the command name in parentheses.
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return tuple(found)


def cpu_clock(pid: int) -> int:
    """Return the clock for the CPU time of all threads of a process, including threads that have ended.

    See clock_getcpuclockid(3). /proc/PID/stat has a resolution of 10 ms, and schedstat omits threads that have ended.
    """
    clock = ctypes.c_int()
    error = _LIBC.clock_getcpuclockid(pid, ctypes.byref(clock))
    if error:
        raise ProcessLookupError(error, os.strerror(error))
    return clock.value


def cpu_nanoseconds(clocks: tuple[int, ...]) -> int:
    """Return the total CPU time of processes in user and system mode."""
    return sum(time.clock_gettime_ns(clock) for clock in clocks)


@dataclass(frozen=True)
class MemoryUsage:
    """The memory of a process in bytes.

    The proportional set size divides the size of each shared page, such as the code of libraries, by the number of
    processes that use the page. The resident memory counts shared pages in full.
    """

    proportional: int
    resident: int


def read_memory_usage(pid: int) -> MemoryUsage:
    """Return the memory of a process (proc_pid_smaps(5))."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
    return MemoryUsage(proportional=kilobytes["Pss"] * 1024, resident=kilobytes["Rss"] * 1024)


@contextmanager
def use_measured_processor() -> Iterator[None]:
    """Run this process on the processor of the measured servers during the block."""
    os.sched_setaffinity(0, _PROCESSORS[-1:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, _PROCESSORS)


def move_to_measured_processor(pid: int) -> None:
    """Run all threads of a process on the processor of the measured servers."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), _PROCESSORS[-1:])


def end_with_parent() -> None:
    """Make the kernel send SIGTERM to this process when its parent process ends (prctl(2))."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
