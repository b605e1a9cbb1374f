"""The API view /api/v1/changes, which lists the events and talks that were published, changed or removed."""

import re
from typing import Any

from flask import Response
from marshmallow import fields
from orjson import Fragment
from sqlalchemy.orm import Session

from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.stored_json_queries import PublicChange, list_public_changes
from eventcal.kit.errors import FieldError, Invalid, Message
from eventcal.kit.pagination import DEFAULT_LIMIT, build_cursor, parse_cursor
from eventcal.web.api.blueprint import ApiBlueprint
from eventcal.web.api.responses import Content, json_content, serve_content
from eventcal.web.identity.permissions import public
from eventcal.web.params.fields import ChoiceParam, LineParam, QuerySchema, described, page_size_param
from eventcal.web.schemas.response_schema import Json, ResponseSchema

# The number fits in 64 bits.
_POSITION = re.compile("[0-9]{1,18}", re.ASCII)

_KINDS = (EntryKind.EVENT, EntryKind.TALK)

changes = ApiBlueprint("changes", "Resources that were published, changed or removed")


class ChangesQuery(QuerySchema):
    """The query parameters of `/api/v1/changes`."""

    since = LineParam(
        load_default=None,
        metadata={
            **described(
                "`next` of the last response. Default: from the beginning. If the calendar has been restored from a "
                "backup since that response, the status is 410 and the code is `cursor-expired`: start from the "
                "beginning."
            ),
            "pattern": r"^[0-9a-z]{1,16}\.[0-9]{1,18}$",
        },
    )
    kind = ChoiceParam(_KINDS, load_default=None, metadata=described("Only events, or only talks."))
    event = LineParam(load_default=None, metadata=described("The slug of an event: only the event and its talks."))
    expand = ChoiceParam(["item"], load_default=None, metadata=described("Include the changed resources as `item`."))
    limit = page_size_param(load_default=DEFAULT_LIMIT)


class ChangeOut(ResponseSchema):
    """An event or talk that has changed, and its current revision."""

    kind = fields.Enum(EntryKind, by_value=True, required=True)
    id = fields.String(required=True, metadata=described("The id of a talk or the slug of an event."))
    revision = fields.Integer(required=True)
    deleted = fields.Boolean(required=True)
    first = fields.Boolean(
        required=True, metadata=described("Whether the event or talk became public after the cursor `since`.")
    )
    item = fields.Raw(
        allow_none=True,
        metadata=described("With `expand=item`: the event or talk as in its own resource, or null if it was deleted."),
    )


class ChangesPage(ResponseSchema):
    """A page of changes. To poll for later changes, send the value of `next` as `since`. `next` is never null."""

    items = fields.List(fields.Nested(ChangeOut), required=True)
    next = fields.String(required=True)


@changes.get("/changes", public, query=ChangesQuery, returns=ChangesPage)
def list_all(query: dict[str, Any]) -> Response:
    """List the events and talks that were published, changed or removed after a cursor.

    Clients that follow `next` miss no changes. Only the latest change to each event or talk is listed.
    """

    def load_content(session: Session) -> Content:
        found, reached = list_public_changes(
            session,
            since=_parse_since(session, query["since"]),
            limit=query["limit"],
            kind=query["kind"],
            event_slug=query["event"],
        )
        following = build_cursor(session, str(reached))
        return json_content({"items": [_change_json(one, query["expand"]) for one in found], "next": following})

    return serve_content(load_content)


def _change_json(change: PublicChange, expand: str | None) -> Json:
    body = change._asdict()
    resource = body.pop("resource")
    return body if expand is None else {**body, "item": None if change.deleted else Fragment(resource)}


def _parse_since(session: Session, since: str | None) -> int:
    if since is None:
        return 0
    try:
        position = parse_cursor(session, since)
        if not _POSITION.fullmatch(position):
            raise ValueError
    except ValueError as error:
        wrong = Message("is not a valid cursor; omit it to start from the beginning")
        raise Invalid(errors=[FieldError("?since", wrong)]) from error
    return int(position)
