"""Clients generated from the OpenAPI document register, submit a talk, handle errors and read a list in pages."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import Server
from tests.npm import install_packages

SOURCES = Path(__file__).parents[1] / "clients"
EVENT_SLUGS = ["event-0", "event-1", "event-2"]

# Clients do not depend on the kind of the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def document(server: Server, database_url: str, tmp_path: Path) -> Path:
    """Create events with an open call, and return the file with the OpenAPI document of the server."""
    environment = {
        **os.environ,
        "EVENTCAL_DATABASE_URL": database_url,
        "EVENTCAL_SECRET_KEY": "k" * 40,
        "EVENTCAL_INSTANCE": str(tmp_path),
    }
    login = {"email": "mo@example.org", "password": "a long pass phrase"}
    command = [sys.executable, "-m", "eventcal.cli", "members", "add", login["email"], "--name", "Mo"]
    command += ["--role", "moderator", "--password-stdin"]
    subprocess.run(command, env=environment, input=login["password"], text=True, check=True, capture_output=True)  # noqa: S603 - constant command
    status, said, headers = server.request_with_headers("POST", "/api/v1/auth/login", body=login)
    assert status == 200
    session = {"Cookie": headers["Set-Cookie"].partition(";")[0], "X-CSRF-Token": said["csrf_token"]}
    for day, slug in enumerate(EVENT_SLUGS, start=1):
        event = {"slug": slug, "title": slug, "timezone": "UTC", "starts": f"2190-01-0{day}", "call_for_talks": {}}
        assert server.request("POST", "/api/v1/events", body=event, headers=session)[0] == 201
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(server.request("GET", "/api/v1/openapi.json")[1]))
    return file


def test_generated_python_client_completes_a_session(
    server: Server, document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(document), "--meta", "none"]
    command += ["--config", str(SOURCES / "openapi-python-client.yaml"), "--fail-on-warning"]
    command += ["--output-path", str(tmp_path / "generated_client")]
    run = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - constant command
    assert run.returncode == 0, run.stdout
    assert "arning" not in run.stdout + run.stderr
    monkeypatch.syspath_prepend(tmp_path)
    models: Any = importlib.import_module("generated_client.models")
    with importlib.import_module("generated_client").Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        _complete_session(client, models)


def _complete_session(client: Any, models: Any) -> None:  # noqa: ANN401 - generated code
    def call(operation: str, **values: Any) -> Any:  # noqa: ANN401 - a generated model
        return importlib.import_module(f"generated_client.api.{operation}").sync(client=client, **values)

    password = "a long pass phrase"
    call("auth.post_auth_register", body=models.RegisterIn(email="py@example.org", password=password, name="Pia"))
    signed_in = call("auth.post_auth_login", body=models.LoginIn(email="py@example.org", password=password))
    csrf = {"x_csrf_token": signed_in.csrf_token}

    speakers = [models.SpeakerOnTalk(name="Pia")]
    talk = call("talks.post_event_talks", slug="event-0", body=models.TalkIn(title="Types", speakers=speakers), **csrf)
    assert str(talk.state) == "submitted"
    invalid = call("talks.post_event_talks", slug="event-0", body=models.TalkIn(title=""), **csrf)
    assert (invalid.code, invalid.errors[0].pointer) == ("invalid", "/title")
    stale = call("talks.patch_talk", talk_id=talk.id, body=models.TalkPatch(title="Stale"), if_match='"old"', **csrf)
    assert (stale.status, stale.code) == (412, "stale")

    page = call("events.get_events", limit=1)
    slugs = [event.slug for event in page.items]
    while page.next_:
        page = call("events.get_events", limit=1, cursor=page.next_)
        slugs += [event.slug for event in page.items]
    assert slugs == EVENT_SLUGS


def test_generated_typescript_client_completes_a_session(
    server: Server, document: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node or npm is not installed")
    packages = install_packages(SOURCES, tmp_path_factory, npm=npm)
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    shutil.copyfile(SOURCES / "package.json", tmp_path / "package.json")
    shutil.copyfile(SOURCES / "session.ts", tmp_path / "session.ts")

    def run(script: str, *arguments: str) -> str:
        command = [node, script, *arguments]
        done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)  # noqa: S603 - Node
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    assert "warn" not in run("node_modules/openapi-typescript/bin/cli.js", str(document), "--output", "api.ts").lower()
    options = ["--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext"]
    run("node_modules/typescript/bin/tsc", *options, "--lib", "es2022,dom,dom.iterable", "session.ts")
    assert json.loads(run("session.js", f"http://127.0.0.1:{server.port}")) == {
        "registered": 201,
        "state": "submitted",
        "invalid": ["invalid", "/title"],
        "stale": [412, "stale"],
        "slugs": EVENT_SLUGS,
    }
