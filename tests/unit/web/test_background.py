"""Background tasks run in order, in a single thread, even if one of them fails."""

import logging
import subprocess
import sys
import threading

import pytest

from eventcal.web.process_state import BackgroundThread

# A worker that exits while a task is queued behind a slow one.
_EXIT_SCRIPT = """
import time
from eventcal.web.process_state import BackgroundThread
afterwards = BackgroundThread()
afterwards.submit(lambda: time.sleep(0.2))
afterwards.submit(lambda: print("done"))
"""


def wait_for_tasks(background: BackgroundThread) -> None:
    background.executor.submit(int).result(timeout=30)


def test_tasks_run_in_order_in_a_single_background_thread() -> None:
    afterwards, done = BackgroundThread(), list[tuple[int, int]]()
    for number in range(50):
        afterwards.submit(lambda number=number: done.append((number, threading.get_ident())))  # type: ignore[misc]  # bound immediately
    wait_for_tasks(afterwards)
    assert [number for number, _ in done] == list(range(50))
    [thread] = {thread for _, thread in done}
    assert thread != threading.get_ident()


def test_failing_task_is_logged_and_the_next_task_runs(caplog: pytest.LogCaptureFixture) -> None:
    afterwards, done = BackgroundThread(), list[str]()
    afterwards.submit(lambda: done.append(str(1 // 0)))
    afterwards.submit(lambda: done.append("the next"))
    wait_for_tasks(afterwards)
    assert done == ["the next"]
    assert [(record.levelno, record.exc_info is not None) for record in caplog.records] == [(logging.ERROR, True)]


def test_no_thread_starts_before_the_first_task() -> None:
    before = threading.active_count()
    BackgroundThread()
    assert threading.active_count() == before


def test_exiting_process_completes_queued_tasks_first() -> None:
    ended = subprocess.run([sys.executable, "-c", _EXIT_SCRIPT], capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


def test_task_added_after_shutdown_is_ignored() -> None:
    afterwards, done = BackgroundThread(), list[str]()
    afterwards.executor.shutdown()
    afterwards.submit(lambda: done.append("too late"))
    assert done == []
