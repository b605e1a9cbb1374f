"""The Granian server of the `serve` command: its worker processes and their listening socket."""

import multiprocessing
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketSpec  # type: ignore[attr-defined]  # Granian re-exports it under this name
from granian.server import MPServer

from eventcal.web.limiters import THREADS_PER_WORKER

SHUTDOWN_SECONDS = 20
# The number of connections per worker. Further connections wait in the queue of the listening socket.
_MAX_CONNECTIONS = 4096
# The number of open files of a process, not counting the connections of clients.
_OTHER_OPEN_FILES = 256
# The time in which a client has to send the headers of a request. It also limits the time between two requests.
_HEADERS_SECONDS = 10
# Requests with headers of more than about this size are rejected with status 431.
_HEADERS_BYTES = 32 * 1024
# A connection is closed if the client does not accept any data for this time.
_RECEIVE_SECONDS = 30
# Granian ends all workers if the same worker ends twice in this time.
_CRASH_LOOP_SECONDS = 5.5
_RESPAWN_DELAY_SECONDS = 2.0


class WorkerServer(MPServer):
    """A Granian server whose workers share a listening socket, and do not end because another worker fails."""

    # Granian declares no types for these attributes.
    _shd: Any
    _sso: Any

    def __init__(self, address: str, port: int, *, workers: int) -> None:
        super().__init__(
            "eventcal.app:create_worker_app",
            address=address,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=THREADS_PER_WORKER,
            # A connection that sends nothing has no time limit in the mode that also accepts HTTP/2.
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=_HEADERS_SECONDS * 1000,
                max_buffer_size=_HEADERS_BYTES,
            ),
            backpressure=min(_MAX_CONNECTIONS, _raise_open_file_limit() - _OTHER_OPEN_FILES),
            websockets=False,
            log_level=LogLevels.error,
            log_access=False,
            respawn_failed_workers=True,
            workers_kill_timeout=SHUTDOWN_SECONDS,
        )

    def _init_shared_socket(self) -> None:
        """Open the listening socket. All connections inherit its options, which Granian does not let us set.

        On Linux, Granian would open one socket in each worker, and lose the waiting connections of a worker that fails.
        """
        self._shd = SocketSpec(self.bind_addr, self.bind_port, self.backlog).build()
        self._sso = socket.socket(fileno=self._shd.get_fd())
        self._sso.set_inheritable(True)
        # Clients that connect before the workers have started wait for a worker.
        self._sso.listen(self.backlog)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            self._sso.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _RECEIVE_SECONDS * 1000)

    def _respawn_workers(self, *arguments: Any, **options: Any) -> None:
        """Start workers again. In a crash loop, Granian then ends the server only if no other worker keeps running."""
        super()._respawn_workers(*arguments, **{"delay": _RESPAWN_DELAY_SECONDS} | options)
        started = [worker.birth for worker in self.wrks if worker.inner.is_alive()]
        if started and time.monotonic() - min(started) > _CRASH_LOOP_SECONDS:
            self.respawned_wrks.clear()


def load_app(path: str) -> Callable[..., Any]:
    """Import and call an app factory (MODULE:NAME) in a worker process, which then ends together with its parent.

    The master process does not import the app, which would use 40 MB of memory.
    """
    threading.Thread(target=_stop_with_parent, name="eventcal-parent", daemon=True).start()
    create_app: Callable[[], Callable[..., Any]] = resolve_name(path)
    return create_app()


def _stop_with_parent() -> None:
    """Wait until the parent process has ended, which it usually does after its workers. Then stop this process."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SHUTDOWN_SECONDS)
    os._exit(1)


def _raise_open_file_limit() -> int:
    """Raise the number of files that this process and its workers may open to the maximum, and return the number."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
