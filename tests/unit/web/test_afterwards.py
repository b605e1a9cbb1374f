"""What is done after answers: in its order, in one thread, whatever fails on the way."""

import logging
import subprocess
import sys
import threading

import pytest

from eventcal.web.cache import Afterwards

# A worker that ends while something waits behind something slow.
_ENDING = """
import time
from eventcal.web.cache import Afterwards
afterwards = Afterwards()
afterwards.do(lambda: time.sleep(0.2))
afterwards.do(lambda: print("done"))
"""


def wait_for(afterwards: Afterwards) -> None:
    afterwards.executor.submit(int).result(timeout=30)


def test_things_are_done_in_their_order_and_in_one_thread_beside_this_one() -> None:
    afterwards, done = Afterwards(), list[tuple[int, int]]()
    for number in range(50):
        afterwards.do(lambda number=number: done.append((number, threading.get_ident())))  # type: ignore[misc]  # bound now
    wait_for(afterwards)
    assert [number for number, _ in done] == list(range(50))
    [thread] = {thread for _, thread in done}
    assert thread != threading.get_ident()


def test_what_fails_is_logged_and_the_next_is_done(caplog: pytest.LogCaptureFixture) -> None:
    afterwards, done = Afterwards(), list[str]()
    afterwards.do(lambda: done.append(str(1 // 0)))
    afterwards.do(lambda: done.append("the next"))
    wait_for(afterwards)
    assert done == ["the next"]
    assert [(record.levelno, record.exc_info is not None) for record in caplog.records] == [(logging.ERROR, True)]


def test_no_thread_is_started_before_there_is_something_to_do() -> None:
    before = threading.active_count()
    Afterwards()
    assert threading.active_count() == before


def test_a_process_that_ends_does_what_waits_first() -> None:
    ended = subprocess.run([sys.executable, "-c", _ENDING], capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


def test_what_comes_too_late_is_left_undone() -> None:
    afterwards, done = Afterwards(), list[str]()
    afterwards.executor.shutdown()
    afterwards.do(lambda: done.append("too late"))
    assert done == []
