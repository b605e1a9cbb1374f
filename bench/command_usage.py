"""The CPU time and the peak memory of a command.

`python bench/command_usage.py COMMAND…` runs a command without its output, and prints its resource usage as JSON. The
process must stay small, because the kernel counts the memory of the parent until the child has started its program.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class CommandUsage(NamedTuple):
    """The resources that a command used: CPU seconds, and the largest resident memory in bytes."""

    cpu_seconds: float
    peak_bytes: int


def measure_command(arguments: Sequence[str], environment: Mapping[str, str]) -> CommandUsage:
    """Run an `eventcal` command and return its resource usage. Raise CalledProcessError if the command fails."""
    command = [sys.executable, "-S", __file__, sys.executable, "-m", "eventcal.cli", *arguments]
    done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE)  # noqa: S603 - this file
    return CommandUsage(*json.loads(done.stdout))


def _run_and_print_usage(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - the command of `measure_command`
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    sys.stdout.write(json.dumps(CommandUsage(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)))


if __name__ == "__main__":
    _run_and_print_usage(sys.argv[1:])
