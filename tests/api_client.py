"""API clients for tests, with different kinds of authentication, and helpers for checking responses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Flask, session
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from eventcal.events.enums import TeamRole
from eventcal.events.models import Event, TeamMember
from eventcal.events.queries import get_event
from eventcal.kit.ids import hash_secret, new_secret
from eventcal.members.enums import Role, Scope
from eventcal.members.models import AccessToken, Member
from eventcal.members.service import TOKEN_PREFIX
from eventcal.speakers.models import Speaker
from eventcal.web.identity.current_user import sign_in
from tests.clocks import NOON
from tests.factories import MODERATOR_CALLER, make_member, make_talk
from tests.http_app import database_of, write_session

API_URL = "http://127.0.0.1:8000/api/v1"
"""What every absolute URL of the API begins with in tests."""


@dataclass(frozen=True)
class ApiResponse:
    """What came back."""

    status: int
    headers: Headers
    data: bytes
    json: Any = field(default=None)

    @property
    def etag(self) -> str:
        """Give the entity tag."""
        return self.headers["ETag"]

    @property
    def status_and_code(self) -> tuple[int, str]:
        """Give a refusal's status and code; a refusal is always a whole problem (RFC 9457)."""
        assert self.headers["Content-Type"] == "application/problem+json", self.data
        assert {"type", "title", "status", "detail", "code", "instance"} <= self.json.keys()
        assert self.json["status"] == self.status
        return self.status, self.json["code"]

    @property
    def errors(self) -> dict[str, str]:
        """Give the faults of a 422: what is wrong, by pointer or "?" and parameter."""
        assert self.status_and_code[0] == 422
        return {
            one["pointer"] if "pointer" in one else f"?{one['parameter']}": one["detail"] for one in self.json["errors"]
        }

    def item_values(self, name: str) -> list[Any]:
        """Give one field of every item of a list."""
        assert self.status == 200, self.data
        return [item[name] for item in self.json["items"]]


@dataclass(frozen=True)
class ApiClient:
    """Somebody who calls the API of `app`, with the headers that say who they are. Any thread may use it."""

    app: Flask
    headers: Mapping[str, str] = field(default_factory=dict)
    member_id: str = ""

    def get(self, path: str, **headers: str) -> ApiResponse:
        """Read."""
        return self.call("GET", path, headers=headers)

    def post(self, path: str, body: object = None, **headers: str) -> ApiResponse:
        """Add something, or take a step. None is no body at all."""
        return self.call("POST", path, body, headers=headers)

    def put(self, path: str, body: object = None, **headers: str) -> ApiResponse:
        """Put something in its place."""
        return self.call("PUT", path, body, headers=headers)

    def patch(self, path: str, body: object, *, if_match: str | None = "*", **headers: str) -> ApiResponse:
        """Change something, whatever its version unless `if_match` says which; None sends no If-Match."""
        wanted = {} if if_match is None else {"If-Match": if_match}
        return self.call("PATCH", path, body, headers=wanted | headers)

    def delete(self, path: str, body: object = None, **headers: str) -> ApiResponse:
        """Take something away."""
        return self.call("DELETE", path, body, headers=headers)

    def call(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> ApiResponse:
        """Call `path` of the API with a JSON body, or with bytes as they are."""
        given = {name.replace("_", "-"): value for name, value in {**self.headers, **(headers or {})}.items()}
        what: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        # A browser would keep cookies; here nobody remembers anything, so that threads and tests stay apart.
        client = self.app.test_client(use_cookies=False)
        where = path if path.startswith("http") else f"/api/v1{path}"
        return _to_api_response(client.open(where, method=method, headers=given, **what))

    def get_feed(self, path: str, **headers: str) -> ApiResponse:
        """Read what is not under /api/v1: a feed."""
        return self.call("GET", f"http://127.0.0.1:8000{path}", headers=headers)

    def with_headers(self, **headers: str) -> "ApiClient":
        """Give the same caller, who also sends these with every call."""
        return replace(self, headers={**self.headers, **headers})


def _to_api_response(response: TestResponse) -> ApiResponse:
    is_json = response.mimetype in {"application/json", "application/problem+json"} and response.data
    plain = is_json and "Content-Encoding" not in response.headers
    return ApiResponse(response.status_code, response.headers, response.data, response.json if plain else None)


def create_token_client(app: Flask, member: Member, *scopes: Scope) -> ApiClient:
    """Give a member with a token of these scopes; of all without any."""
    with write_session(app) as unit:
        return _add_token_client(app, unit, member, scopes=scopes or tuple(Scope))


def _add_token_client(
    app: Flask, unit: Session, member: Member, *, scopes: Sequence[Scope] = tuple(Scope)
) -> ApiClient:
    secret = new_secret(TOKEN_PREFIX)
    token = AccessToken(member_id=member.id, name="a script", token_hash=hash_secret(secret), created_at=NOON)
    token.scopes = [scope.value for scope in scopes]
    unit.add(token)
    return ApiClient(app, {"Authorization": f"Bearer {secret}"}, member.id)


def create_session_client(app: Flask, member: Member) -> ApiClient:
    """Give a member with the cookie and the CSRF token of a session, as signing in makes them."""
    with app.test_request_context("/"):
        token = sign_in(member)
        response = app.response_class()
        app.session_interface.save_session(app, session, response)
        cookie = response.headers["Set-Cookie"].partition(";")[0]
    return ApiClient(app, {"Cookie": cookie, "X-CSRF-Token": token}, member.id)


def create_member_client(app: Flask, *, role: Role = Role.MEMBER, **fields: Any) -> ApiClient:
    """Give a new member, by a token that reaches as far as they do."""
    with write_session(app) as unit:
        return _add_token_client(app, unit, make_member(unit, role=role, **fields))


def create_team_client(app: Flask, slug: str, role: TeamRole = TeamRole.ORGANISER, **fields: Any) -> ApiClient:
    """Give a new member on the team of an event."""
    with write_session(app) as unit:
        member = make_member(unit, **fields)
        add_team_member(unit, member, slug, role=role)
        return _add_token_client(app, unit, member)


def add_team_member(unit: Session, member: Member, slug: str, *, role: TeamRole = TeamRole.ORGANISER) -> None:
    """Put a member on the team of an event."""
    event_id = unit.scalars(select(Event.id).where(Event.slug == slug)).one()
    unit.add(TeamMember(event_id=event_id, member_id=member.id, role=role))
    unit.flush()


def create_talk(
    app: Flask,
    slug: str,
    *,
    by: ApiClient | None = None,
    speaker_ids: Sequence[str] = (),
    **fields: Any,
) -> str:
    """Give the id of a new talk in an event, as make_talk makes it, offered by a member."""
    with write_session(app) as unit:
        submitter = unit.get_one(Member, by.member_id) if by is not None else None
        speakers = [unit.get_one(Speaker, one) for one in speaker_ids]
        return make_talk(
            unit, get_event(unit, slug, MODERATOR_CALLER), submitter=submitter, speakers=speakers, **fields
        ).id


def get_row(app: Flask, table: Any, **columns: Any) -> Any:  # noqa: ANN401 - any table, any column
    """Give the one row of a table with these values."""
    with database_of(app).read_session() as reader:
        return reader.scalars(select(table).filter_by(**columns)).one()


def count_rows(app: Flask, table: Any) -> int:  # noqa: ANN401 - any table
    """Give how many rows a table has."""
    with database_of(app).read_session() as reader:
        return len(reader.scalars(select(table)).all())


def list_all_items(api: ApiClient, path: str) -> Sequence[Any]:
    """Give all items of a list, page after page by its Link."""
    items: list[Any] = []
    answer = api.get(path)
    while True:
        assert answer.status == 200, answer.data
        items += answer.json["items"]
        link = answer.headers.get("Link")
        assert (link is None) is (answer.json["next"] is None)
        if link is None:
            return items
        assert link.startswith("<http")
        assert link.endswith('>; rel="next"')
        answer = api.get(link[1:].partition(">")[0])
