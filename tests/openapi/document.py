"""Building of the OpenAPI document: `python -m tests.openapi.document FILE`, or `make openapi`."""

import sys
from pathlib import Path

import orjson

from eventcal.app import create_app
from eventcal.config import Settings
from eventcal.web.api.openapi.build import build_openapi_document


def write_openapi_document(file: Path) -> None:
    """Write the document without the values that depend on the settings and the version."""
    settings = Settings(instance=Path("instance"), database_url="sqlite:///nowhere.db", secret_key="k" * 40)
    document = build_openapi_document(create_app(settings))
    file.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    write_openapi_document(Path(sys.argv[1]))
