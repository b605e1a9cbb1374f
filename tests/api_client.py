"""API clients for tests, with different kinds of authentication, and helpers for checking responses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
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
"""The base URL of the API in tests."""
TEAM_PATH = "/events/summit/team"


@dataclass(frozen=True)
class ApiResponse:
    """A response with its parsed JSON body."""

    status: int
    headers: Headers
    data: bytes
    json: Any = field(default=None)

    @property
    def etag(self) -> str:
        """Return the entity tag."""
        return self.headers["ETag"]

    @property
    def status_and_code(self) -> tuple[int, str]:
        """Return the status and the error code of a problem document, after checking its members (RFC 9457)."""
        assert self.headers["Content-Type"] == "application/problem+json", self.data
        assert {"type", "title", "status", "detail", "code", "instance"} <= self.json.keys()
        assert self.json["status"] == self.status
        return self.status, self.json["code"]

    @property
    def errors(self) -> dict[str, str]:
        """Return the error messages of a 422 response, by JSON pointer or by "?" and the parameter name."""
        assert self.status_and_code[0] == 422
        return {
            one["pointer"] if "pointer" in one else f"?{one['parameter']}": one["detail"] for one in self.json["errors"]
        }

    def item_values(self, name: str) -> list[Any]:
        """Return the value of one field for every item of a list."""
        assert self.status == 200, self.data
        return [item[name] for item in self.json["items"]]


@dataclass(frozen=True)
class ApiClient:
    """A client that sends the same headers with every request to the API of `app`. It is thread-safe."""

    app: Flask
    headers: Mapping[str, str] = field(default_factory=dict)
    member_id: str = ""

    def get(self, path: str, **headers: str) -> ApiResponse:
        """Send a GET request."""
        return self.call("GET", path, headers=headers)

    def post(self, path: str, body: object = None, **headers: str) -> ApiResponse:
        """Send a POST request, without a body if `body` is None."""
        return self.call("POST", path, body, headers=headers)

    def put(self, path: str, body: object = None, **headers: str) -> ApiResponse:
        """Send a PUT request."""
        return self.call("PUT", path, body, headers=headers)

    def patch(self, path: str, body: object, *, if_match: str | None = "*", **headers: str) -> ApiResponse:
        """Send a PATCH request. `if_match` is the value of If-Match, or None to omit the header."""
        wanted = {} if if_match is None else {"If-Match": if_match}
        return self.call("PATCH", path, body, headers=wanted | headers)

    def delete(self, path: str, body: object = None, **headers: str) -> ApiResponse:
        """Send a DELETE request."""
        return self.call("DELETE", path, body, headers=headers)

    def call(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> ApiResponse:
        """Send a request to a path of the API. A bytes body is sent unchanged, any other body as JSON."""
        given = {name.replace("_", "-"): value for name, value in {**self.headers, **(headers or {})}.items()}
        what: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
        # A client without cookies keeps threads and tests independent of each other.
        client = self.app.test_client(use_cookies=False)
        where = path if path.startswith("http") else f"/api/v1{path}"
        response = client.open(where, method=method, headers=given, **what)
        with response:
            return _to_api_response(response)

    def get_feed(self, path: str, **headers: str) -> ApiResponse:
        """Send a GET request for a path outside /api/v1."""
        return self.call("GET", f"http://127.0.0.1:8000{path}", headers=headers)

    def with_headers(self, **headers: str) -> "ApiClient":
        """Return a copy of the client that also sends these headers."""
        return replace(self, headers={**self.headers, **headers})


def _to_api_response(response: TestResponse) -> ApiResponse:
    is_json = response.mimetype in {"application/json", "application/problem+json"} and response.data
    plain = is_json and "Content-Encoding" not in response.headers
    return ApiResponse(response.status_code, response.headers, response.data, response.json if plain else None)


def create_token_client(app: Flask, member: Member, *scopes: Scope) -> ApiClient:
    """Return a client with an access token of the member. Without scopes, the token has all scopes."""
    with write_session(app) as unit:
        return _add_token_client(app, unit, member, scopes=scopes or tuple(Scope))


def _add_token_client(
    app: Flask, unit: Session, member: Member, *, scopes: Sequence[Scope] = tuple(Scope)
) -> ApiClient:
    secret = new_secret(TOKEN_PREFIX)
    token = AccessToken(member_id=member.id, name="a script", token_hash=hash_secret(secret), created_at=NOON)
    token.granted_role, token.expires_at = member.role, NOON + timedelta(days=365_000)
    token.scopes = [scope.value for scope in scopes]
    unit.add(token)
    return ApiClient(app, {"Authorization": f"Bearer {secret}"}, member.id)


def create_session_client(app: Flask, member: Member) -> ApiClient:
    """Return a client with the session cookie and CSRF token of a member who has signed in."""
    return replace(create_browser_client(app, lambda: sign_in(member)), member_id=member.id)


def create_browser_client(app: Flask, begin_session: Callable[[], str]) -> ApiClient:
    """Return a client with the cookie of the session that `begin_session` starts, and the CSRF token it returns."""
    with app.test_request_context("/"):
        token = begin_session()
        response = app.response_class()
        app.session_interface.save_session(app, session, response)
        cookie = response.headers["Set-Cookie"].partition(";")[0]
    return ApiClient(app, {"Cookie": cookie, "X-CSRF-Token": token})


def create_member_client(app: Flask, *, role: Role = Role.MEMBER, **fields: Any) -> ApiClient:
    """Return a client with an access token of a new member."""
    with write_session(app) as unit:
        return _add_token_client(app, unit, make_member(unit, role=role, **fields))


def create_team_client(app: Flask, slug: str, role: TeamRole = TeamRole.ORGANISER, **fields: Any) -> ApiClient:
    with write_session(app) as unit:
        member = make_member(unit, **fields)
        add_team_member(unit, member, slug, role=role)
        return _add_token_client(app, unit, member)


def add_team_member(unit: Session, member: Member, slug: str, *, role: TeamRole = TeamRole.ORGANISER) -> None:
    event_id = unit.scalars(select(Event.id).where(Event.slug == slug)).one()
    unit.add(TeamMember(event_id=event_id, member_id=member.id, role=role))
    unit.flush()


def invite_team_member(organiser: ApiClient, email: str = "ada@example.org", *, role: str = "reviewer") -> str:
    """Invite an address to the team of the summit and return the ID of the invitation."""
    assert organiser.put(TEAM_PATH, {"email": email, "role": role}).status == 202
    [invitation] = [one for one in organiser.get(TEAM_PATH).json["invitations"] if one["email"] == email]
    found: str = invitation["id"]
    return found


def create_talk(
    app: Flask,
    slug: str,
    *,
    by: ApiClient | None = None,
    speaker_ids: Sequence[str] = (),
    **fields: Any,
) -> str:
    """Create a talk at an event with `make_talk` and return its id."""
    with write_session(app) as unit:
        submitter = unit.get_one(Member, by.member_id) if by is not None else None
        speakers = [unit.get_one(Speaker, one) for one in speaker_ids]
        return make_talk(
            unit, get_event(unit, slug, MODERATOR_CALLER), submitter=submitter, speakers=speakers, **fields
        ).id


def get_row(app: Flask, table: Any, **columns: Any) -> Any:  # noqa: ANN401 - any table, any column
    """Return the only row of a table with these column values."""
    with database_of(app).read_session() as reader:
        return reader.scalars(select(table).filter_by(**columns)).one()


def count_rows(app: Flask, table: Any) -> int:  # noqa: ANN401 - any table
    with database_of(app).read_session() as reader:
        return len(reader.scalars(select(table)).all())


def list_all_items(api: ApiClient, path: str) -> Sequence[Any]:
    """Return the items on all pages of a list by following the Link headers."""
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
