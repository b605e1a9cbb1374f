"""The OpenAPI document in separate files, so that a comparison shows which parts differ."""

import json
import re
from pathlib import Path
from typing import Any


def write_openapi_files(document: dict[str, Any], folder: Path) -> None:
    """Write a file for each path of the document, a file for the components, and a file for all other parts."""
    folder.mkdir(parents=True)
    rest = {name: part for name, part in document.items() if name not in {"paths", "components"}}
    rest["paths"] = list(document.get("paths", {}))
    _write_json(folder / "rest.json", rest)
    _write_json(folder / "components.json", document.get("components"))
    for path, operations in document.get("paths", {}).items():
        name = re.sub(r"[^\w.{}-]+", "_", path, flags=re.ASCII).strip("_")
        _write_json(folder / f"path_{name}.json", {path: operations})


def _write_json(path: Path, part: object) -> None:
    path.write_text(json.dumps(part, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
