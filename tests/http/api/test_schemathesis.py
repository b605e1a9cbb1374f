"""schemathesis checks every operation against the OpenAPI document.

No request may cause an internal error or an undocumented status, media type, header, code or field. Requests that the
document forbids must be rejected, those that it allows must be accepted. Each test calls one operation with one kind
of credentials. The calendar has one object of every kind and is restored after each request that may have changed it.
Therefore, and because the seed is fixed, failures are reproducible.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import load_all_checks
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.generation.meta import TestPhase
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from eventcal.config import Settings
from eventcal.members.models import Member
from eventcal.web.api.openapi.document import load_openapi_document
from eventcal.web.response_cache import ResponseCache
from tests import sample_calendar
from tests.api_client import create_session_client, get_row
from tests.clocks import NOON, FixedClock
from tests.http_app import create_test_app, database_of
from tests.openapi.fuzzing import Json, narrow_document

OperationTest = Callable[[Mapping[str, str]], None]

# Operations with rules that a schema cannot express: consistency of times, prices and states, secrets that cannot be
# generated, and images.
STRICTER_THAN_SCHEMA = (
    "POST /api/v1/auth/confirm",
    "POST /api/v1/auth/reset/confirm",
    "POST /api/v1/auth/password",
    "DELETE /api/v1/me",
    "PATCH /api/v1/me",
    "POST /api/v1/me/tokens",
    "POST /api/v1/events",
    "PATCH /api/v1/events/{slug}",
    "POST /api/v1/events/{slug}/sponsorships",
    "POST /api/v1/events/{slug}/talks",
    "PATCH /api/v1/talks/{talk_id}",
    "PUT /api/v1/speakers/{slug}/photo",
    "PUT /api/v1/sponsors/{slug}/logo",
)
# These have the same fields as the corresponding POST operation, whose boundary cases are tested.
SAME_FIELDS_AS_POST = {"PATCH /api/v1/events/{slug}", "PATCH /api/v1/talks/{talk_id}"}
CHECKS: Json = {
    # A revoked feed (410) or an outdated If-Match (412) does not mean that the request is malformed.
    "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", "410", "412"]},
    "missing_required_header": {"expected-statuses": ["401", "403", "428"]},
}
# Removing a star that does not exist succeeds with any ID.
FIRST_BOUNDARY_CASES, BOUNDARY_STRIDE = 16, 8
IDEMPOTENT_DELETE = "DELETE /api/v1/me/stars/{talk_id}"


@cache
def narrowed_document() -> Json:
    """Return the document, narrowed to existing objects. This needs no database."""
    nowhere = Settings(instance=Path("instance"), database_url="sqlite:///nowhere/none.db", secret_key="k" * 40)
    return narrow_document(load_openapi_document(nowhere))


OPERATIONS = [
    f"{method.upper()} {path}"
    for path, item in narrowed_document()["paths"].items()
    for method, operation in item.items()
    if isinstance(operation, dict)
]


@cache
def load_schema(*, examples: int, coverage: bool) -> Any:  # noqa: ANN401 - schemathesis does not name its type in public
    """Return the document as a schemathesis schema; with `coverage`, it also generates boundary cases."""
    load_all_checks()
    exempt = [
        {"include-name": name, "checks": {"positive_data_acceptance": {"enabled": False}}}
        for name in STRICTER_THAN_SCHEMA
    ]
    config = {
        "seed": 2014,
        "generation": {"deterministic": True, "max-examples": examples, "with-security-parameters": False},
        "phases": {"examples": {"enabled": False}, "coverage": {"enabled": coverage}},
        "checks": CHECKS,
        "operations": [
            *exempt,
            {"include-name": IDEMPOTENT_DELETE, "checks": {"negative_data_rejection": {"enabled": False}}},
        ],
    }
    return schemathesis.openapi.from_dict(narrowed_document(), config=schemathesis.Config.from_dict(config))


@dataclass
class RestorableApp:
    """The app with a copy of a database that is never changed."""

    app: Flask
    original: Path
    working_copy: Path
    is_modified: bool = False

    def restore(self) -> None:
        """Restore the database if a request may have changed it."""
        if not self.is_modified:
            return
        database_of(self.app).engine.dispose()
        for end in ("-wal", "-shm"):
            Path(f"{self.working_copy}{end}").unlink(missing_ok=True)
        shutil.copyfile(self.original, self.working_copy)
        house = self.app.extensions["eventcal"]
        self.app.extensions["eventcal"] = replace(house, responses=ResponseCache(1_000_000))
        self.is_modified = False


@pytest.fixture(scope="module")
def restorable_app(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestorableApp]:
    """Yield a calendar with one object of every kind."""
    folder = tmp_path_factory.mktemp("calendar")
    kept, used = folder / "kept.db", folder / "used.db"
    shutil.copyfile(_sqlite_template, kept)
    with create_test_app(f"sqlite:///{kept}", FixedClock()) as app:
        sample_calendar.create_sample_calendar(app)
    shutil.copyfile(kept, used)
    # An entry can be changed only once in a second.
    with create_test_app(f"sqlite:///{used}", FixedClock(NOON + timedelta(minutes=1))) as app:
        yield RestorableApp(app, kept, used)


def is_blank_text_error(answer: schemathesis.Response) -> bool:
    """Return whether a text was rejected only because it is blank, a rule that JSON Schema cannot express."""
    faults = answer.json().get("errors", []) if answer.status_code == 422 else []
    return bool(faults) and all(fault["detail"].startswith("must not be blank") for fault in faults)


def _is_boundary(case: schemathesis.Case[Any]) -> bool:
    return case.meta is not None and case.meta.phase.name is TestPhase.COVERAGE


def _is_in_sample(number: int) -> bool:
    """Return whether an ordinary run tests this boundary case: the first cases of an operation, then every eighth.

    Neighbouring cases differ in one field, so the sample covers every field of a large body.
    """
    return number < FIRST_BOUNDARY_CASES or number % BOUNDARY_STRIDE == 0


def check_operation(
    calendar: RestorableApp,
    name: str,
    headers: Mapping[str, str],
    *,
    examples: int,
    coverage: bool = False,
    every_case: bool = False,
) -> None:
    """Call one operation many times with these headers and check every response against the document."""
    whole = load_schema(examples=examples, coverage=coverage)
    method, path = name.split(" ")
    operation = whole[path][method]
    operation.app = whole.app = calendar.app
    sent = {"Accept-Encoding": "identity", **headers}
    # `ignored_auth` repeats the request without and with wrong credentials; once per operation is enough.
    done: list[Any] = []
    boundaries = count()

    def check(case: schemathesis.Case[Any]) -> None:
        if _is_boundary(case) and not every_case and not _is_in_sample(next(boundaries)):
            return
        calendar.restore()
        answer = case.call(headers=sent)
        # Rejected requests are rolled back.
        calendar.is_modified = case.method != "GET" and answer.status_code < 400
        excluded = [*done, *[positive_data_acceptance] * is_blank_text_error(answer)]
        case.validate_response(answer, headers=sent, excluded_checks=excluded, transport_kwargs={"headers": sent})
        if answer.status_code < 300:
            done[:] = [ignored_auth]

    # schemathesis' decorators do the same, but for all operations at collection time.
    build_operation_test(
        config=whole.config,
        operation=operation,
        test_func=check,
        given_kwargs={},
        feedback=FeedbackSources(),
        explicit_settings=settings(
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
        ),
    )()


@pytest.mark.parametrize("name", OPERATIONS)
def test_responses_to_moderator_with_token_match_document(
    restorable_app: RestorableApp, name: str, pytestconfig: pytest.Config
) -> None:
    headers = {"Authorization": f"Bearer {sample_calendar.MODERATOR_TOKEN}"}
    check_operation(
        restorable_app,
        name,
        headers,
        examples=8,
        coverage=name not in SAME_FIELDS_AS_POST,
        every_case=pytestconfig.getoption("--extent") == "all",
    )


@pytest.mark.parametrize("name", OPERATIONS)
def test_responses_to_member_with_cookie_match_document(restorable_app: RestorableApp, name: str) -> None:
    restorable_app.restore()
    ada = create_session_client(restorable_app.app, get_row(restorable_app.app, Member, id="member-ada"))
    check_operation(restorable_app, name, ada.headers, examples=6)


@pytest.mark.parametrize("name", OPERATIONS)
def test_responses_to_anonymous_user_match_document(restorable_app: RestorableApp, name: str) -> None:
    check_operation(restorable_app, name, {}, examples=3)
