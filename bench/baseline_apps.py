"""The baseline apps on Granian with the options of eventcal: a Flask app and a bare WSGI callable for the same bytes.

`python -m bench.baseline_apps KIND FOLDER PORT` serves "hello" at /hello, and at /NAME the content of FOLDER/NAME with
the headers in FOLDER/NAME.json. KIND is "flask" or "wsgi". The apps read the files once, when they are created.
"""

import json
import multiprocessing
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response

Headers = list[tuple[str, str]]


def load_flask_app(folder: str) -> WSGIApplication:
    """Return a Flask app with a view that returns "hello", and a view for each file in the folder."""
    app = Flask("bench.baseline_apps")
    app.add_url_rule("/hello", "hello", lambda: "hello")
    for name, headers, body in _iter_files(Path(folder)):
        app.add_url_rule(f"/{name}", name, _make_view(body, headers))
    return app


def load_wsgi_app(folder: str) -> WSGIApplication:
    """Return a WSGI callable that returns "hello" or a file in the folder from a dictionary."""
    responses: dict[str, tuple[Headers, bytes]] = {"/hello": ([("Content-Type", "text/plain")], b"hello")}
    responses |= {f"/{name}": (headers, body) for name, headers, body in _iter_files(Path(folder))}

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        found = responses.get(environ["PATH_INFO"])
        if found is None:
            start_response("404 Not Found", [])
            return []
        headers, body = found
        start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
        return [body]

    return app


def _iter_files(folder: Path) -> Iterator[tuple[str, Headers, bytes]]:
    for path in sorted(folder.glob("*.json")):
        headers = [(key, value) for key, value in json.loads(path.read_text())]
        yield path.stem, headers, (folder / path.stem).read_bytes()


def _make_view(body: bytes, headers: Headers) -> Callable[[], Response]:
    return lambda: Response(body, headers=headers)


_LOADERS: Mapping[str, Callable[[str], WSGIApplication]] = {"flask": load_flask_app, "wsgi": load_wsgi_app}


def _serve(kind: str, folder: str, port: int) -> None:
    # The import inside the function keeps workers of the baseline apps from importing eventcal.
    from eventcal.cli.worker_processes import WorkerServer  # noqa: PLC0415 - as above

    server = WorkerServer("127.0.0.1", port, workers=1)
    multiprocessing.set_start_method("spawn", force=True)
    server.serve(target_loader=partial(_LOADERS[kind], folder), wrap_loader=False)


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
