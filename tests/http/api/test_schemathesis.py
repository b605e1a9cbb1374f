"""schemathesis holds every operation against the OpenAPI document.

There is no failure of ours, and no status, type, header, code or field that the document does not name; what it
forbids is refused, and what it allows is taken. Each test tries one operation as one caller, on a calendar with one
of everything that is put back after each call which may have changed it. So a failure repeats; the seed is fixed too.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
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

from eventcal.app import create_app
from eventcal.config import Settings
from eventcal.members.models import Member
from eventcal.web.cache import RenditionCache
from tests import world
from tests.api import by_cookie, row
from tests.clocks import FixedClock
from tests.fuzzing import Json, narrowed
from tests.http_app import database_of, running

Try = Callable[[Mapping[str, str]], None]

# Whose rules go beyond the form: how times, prices and states belong together, secrets that nobody can make up, and
# pictures, which no schema describes.
MORE_THAN_FORM = (
    "POST /api/v1/auth/confirm",
    "POST /api/v1/auth/reset/confirm",
    "POST /api/v1/auth/password",
    "DELETE /api/v1/me",
    "POST /api/v1/me/tokens",
    "POST /api/v1/events",
    "PATCH /api/v1/events/{slug}",
    "POST /api/v1/events/{slug}/sponsorships",
    "POST /api/v1/events/{slug}/talks",
    "PATCH /api/v1/talks/{talk_id}",
    "PUT /api/v1/speakers/{slug}/photo",
    "PUT /api/v1/sponsors/{slug}/logo",
)
# Their fields are those of the POST beside them, whose every boundary is tried.
SAME_FIELDS_AS_POST = {"PATCH /api/v1/events/{slug}", "PATCH /api/v1/talks/{talk_id}"}
CHECKS: Json = {
    # 410 is a feed that was revoked, 412 an If-Match of another version: the form of neither is wrong.
    "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", "410", "412"]},
    "missing_required_header": {"expected-statuses": ["401", "403", "428"]},
}
# Taking off a star that is not there changes nothing, whatever the id.
FIRST_BOUNDARIES, BOUNDARY_STRIDE = 16, 8
ANY_ID = "DELETE /api/v1/me/stars/{talk_id}"


@cache
def document() -> Json:
    """Give the document, narrowed to what there is; it needs no database."""
    nowhere = Settings(instance=Path("instance"), database_url="sqlite:///nowhere/none.db", secret_key="k" * 40)
    return narrowed(create_app(nowhere).extensions["eventcal_openapi"]())


OPERATIONS = [
    f"{method.upper()} {path}"
    for path, item in document()["paths"].items()
    for method, operation in item.items()
    if isinstance(operation, dict)
]


@cache
def schema(*, examples: int, coverage: bool) -> Any:  # noqa: ANN401 - schemathesis does not name its type in public
    """Give the document as schemathesis has it; `coverage` tries each boundary of each field beside the examples."""
    load_all_checks()
    exempt = [
        {"include-name": name, "checks": {"positive_data_acceptance": {"enabled": False}}} for name in MORE_THAN_FORM
    ]
    config = {
        "seed": 2014,
        "generation": {"deterministic": True, "max-examples": examples, "with-security-parameters": False},
        "phases": {"examples": {"enabled": False}, "coverage": {"enabled": coverage}},
        "checks": CHECKS,
        "operations": [*exempt, {"include-name": ANY_ID, "checks": {"negative_data_rejection": {"enabled": False}}}],
    }
    return schemathesis.openapi.from_dict(document(), config=schemathesis.Config.from_dict(config))


@dataclass
class Calendar:
    """The app on a copy of a database that is never touched itself."""

    app: Flask
    kept: Path
    used: Path
    touched: bool = False

    def put_back(self) -> None:
        """Make it as it was, if a call may have changed it."""
        if not self.touched:
            return
        database_of(self.app).engine.dispose()
        for end in ("-wal", "-shm"):
            Path(f"{self.used}{end}").unlink(missing_ok=True)
        shutil.copyfile(self.kept, self.used)
        house = self.app.extensions["eventcal"]
        self.app.extensions["eventcal"] = replace(house, renditions=RenditionCache(1_000_000))
        self.touched = False


@pytest.fixture(scope="module")
def calendar(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calendar]:
    """Give a calendar with one of everything."""
    folder = tmp_path_factory.mktemp("calendar")
    kept, used = folder / "kept.db", folder / "used.db"
    shutil.copyfile(_sqlite_template, kept)
    with running(f"sqlite:///{kept}", FixedClock()) as app:
        world.build(app)
    shutil.copyfile(kept, used)
    with running(f"sqlite:///{used}", FixedClock()) as app:
        yield Calendar(app, kept, used)


def only_blank(answer: schemathesis.Response) -> bool:
    """Say whether a line was refused for showing nothing, which JSON Schema cannot say of a line."""
    faults = answer.json().get("errors", []) if answer.status_code == 422 else []
    return bool(faults) and all(fault["detail"].startswith("is blank") for fault in faults)


def _is_boundary(case: schemathesis.Case[Any]) -> bool:
    return case.meta is not None and case.meta.phase.name is TestPhase.COVERAGE


def _is_in_sample(number: int) -> bool:
    """Say whether a usual run tries this boundary case: the first of an operation, and then one in a few.

    Neighbouring cases differ in one field, so that a stride meets every field of a large body.
    """
    return number < FIRST_BOUNDARIES or number % BOUNDARY_STRIDE == 0


def try_operation(
    calendar: Calendar,
    name: str,
    headers: Mapping[str, str],
    *,
    examples: int,
    coverage: bool = False,
    every_case: bool = False,
) -> None:
    """Call one operation many times, with these headers, and hold every answer against the document."""
    whole = schema(examples=examples, coverage=coverage)
    method, path = name.split(" ")
    operation = whole[path][method]
    operation.app = whole.app = calendar.app
    sent = {"Accept-Encoding": "identity", **headers}
    # It asks again without credentials, and with wrong ones: once for each operation is enough.
    done: list[Any] = []
    boundaries = count()

    def check(case: schemathesis.Case[Any]) -> None:
        if _is_boundary(case) and not every_case and not _is_in_sample(next(boundaries)):
            return
        calendar.put_back()
        answer = case.call(headers=sent)
        # What is refused is rolled back.
        calendar.touched = case.method != "GET" and answer.status_code < 400
        excluded = [*done, *[positive_data_acceptance] * only_blank(answer)]
        case.validate_response(answer, headers=sent, excluded_checks=excluded, transport_kwargs={"headers": sent})
        if answer.status_code < 300:
            done[:] = [ignored_auth]

    # What schemathesis' own marks make of a test; they would make all of them when the tests are collected.
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
def test_a_moderator_with_a_token_of_every_scope_meets_what_is_documented(
    calendar: Calendar, name: str, pytestconfig: pytest.Config
) -> None:
    headers = {"Authorization": f"Bearer {world.MODERATORS_TOKEN}"}
    try_operation(
        calendar,
        name,
        headers,
        examples=8,
        coverage=name not in SAME_FIELDS_AS_POST,
        every_case=pytestconfig.getoption("--extent") == "all",
    )


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_member_with_a_cookie_meets_what_is_documented(calendar: Calendar, name: str) -> None:
    calendar.put_back()
    ada = by_cookie(calendar.app, row(calendar.app, Member, id="member-ada"))
    try_operation(calendar, name, ada.headers, examples=6)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_visitor_meets_what_is_documented(calendar: Calendar, name: str) -> None:
    try_operation(calendar, name, {}, examples=3)
