import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
# In a checkout, the app compiles the translation catalogues.
LAZY_IMPORTS = {
    *LINTER["flake8-tidy-imports"]["banned-module-level-imports"],
    "PIL",
    "psycopg",
    "eventcal.web.api.openapi.build",
} - {"babel.messages"}
CREATE_APP_SCRIPT = """\
import sys
from pathlib import Path
from eventcal.app import create_app
from eventcal.config import Settings
create_app(Settings(instance=Path("instance"), database_url="sqlite:///nowhere.db", secret_key="k" * 64))
print(*sys.modules)
"""


@pytest.fixture(scope="module")
def modules_of_new_app() -> set[str]:
    command = [sys.executable, "-c", CREATE_APP_SCRIPT]
    finished = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - our own
    return set(finished.stdout.split())


@pytest.mark.parametrize("module", sorted(LAZY_IMPORTS))
def test_new_app_has_not_imported(module: str, modules_of_new_app: set[str]) -> None:
    assert module not in modules_of_new_app
