"""A PostgreSQL server that stops responding: a proxy for the server of the tests that can stop forwarding."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

_CHUNK = 65536
_POLL_SECONDS = 0.01


class SilentServer:
    """Accepts connections at a Unix socket and forwards them to the server, except while `silent` is set."""

    def __init__(self, server_url: str, folder: Path) -> None:
        url = make_url(server_url)
        self.silent = threading.Event()
        self._target = f"{url.query['host']}/.s.PGSQL.{url.query['port']}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / f".s.PGSQL.{url.query['port']}"))
        self._listener.listen()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.url = url.update_query_dict({"host": str(folder)}).render_as_string(hide_password=False)

    def stop(self) -> None:
        """Close all connections and end all threads."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(30)
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            if select.select([self._listener], [], [], _POLL_SECONDS)[0]:
                thread = threading.Thread(target=self._forward, args=(self._listener.accept()[0],))
                self._threads.append(thread)
                thread.start()

    def _forward(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self._target)
            other = {client: server, server: client}
            while not self._stopped.is_set():
                for source in select.select(list(other), [], [], _POLL_SECONDS)[0]:
                    while self.silent.is_set() and not self._stopped.is_set():
                        self._stopped.wait(_POLL_SECONDS)
                    try:
                        data = source.recv(_CHUNK)
                        other[source].sendall(data)
                    except OSError:
                        return
                    if not data:
                        return


@contextmanager
def run_silent_server(server_url: str, folder: Path) -> Iterator[SilentServer]:
    """Provide a server that forwards to the server of a URL. Unix sockets need a short path, so `folder` is short."""
    server = SilentServer(server_url, folder)
    try:
        yield server
    finally:
        server.stop()
