"""The minimal Flask app for comparisons, on Granian with the options of eventcal, for the same bytes and headers.

`python -m bench.minimal_app FOLDER PORT` serves "hello" at /hello, and at /NAME the content of FOLDER/NAME with the
headers in FOLDER/NAME.json. The app reads the files once, when it is created.
"""

import json
import multiprocessing
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, Response


def create_minimal_app(folder: Path) -> Flask:
    """Return the app with a view for each file in the folder."""
    app = Flask("bench.minimal_app")
    app.add_url_rule("/hello", "hello", lambda: "hello")
    for path in sorted(folder.glob("*.json")):
        name = path.stem
        headers = [(key, value) for key, value in json.loads(path.read_text())]
        app.add_url_rule(f"/{name}", name, _make_view((folder / name).read_bytes(), headers))
    return app


def _make_view(body: bytes, headers: list[tuple[str, str]]) -> Callable[[], Response]:
    return lambda: Response(body, headers=headers)


def load_minimal_app(folder: str) -> Any:  # noqa: ANN401 - any WSGI application
    """Return the minimal app for a Granian worker."""
    return create_minimal_app(Path(folder))


def _serve(folder: str, port: int) -> None:
    # The import inside the function keeps workers of the minimal app from importing eventcal.
    from eventcal.cli.server import _build_server  # noqa: PLC0415 - as above

    server = _build_server("127.0.0.1", port=port, workers=1)
    multiprocessing.set_start_method("spawn", force=True)
    server.serve(target_loader=partial(load_minimal_app, folder), wrap_loader=False)


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
