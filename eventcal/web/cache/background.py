"""What a reader need not wait for is done beside the requests, one thing after the other, in a thread of the worker."""

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor

_LOG = logging.getLogger(__name__)


class Afterwards:
    """Does things in their order. The thread starts with the first of them; a worker that ends does the rest first.

    Nothing is done in an answer's `close`: servers call it from threads that they end whatever it does.
    """

    def __init__(self, executor: Executor | None = None) -> None:
        """Use an executor that does one thing at a time; without one, a thread of its own."""
        self.executor = executor or ThreadPoolExecutor(1, thread_name_prefix="afterwards")

    def do(self, job: Callable[[], None]) -> None:
        """Have this done soon. What fails is logged; what comes when the worker is ending is left undone."""
        try:
            self.executor.submit(job).add_done_callback(_log_failure)
        except RuntimeError:
            _LOG.info("not done any more, for the worker is ending: %r", job)


def _log_failure(done: Future[None]) -> None:
    error = done.exception()
    if error is not None:
        _LOG.error("what was to be done after an answer failed", exc_info=error)
