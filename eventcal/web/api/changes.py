"""/api/v1/changes: what became public, changed or vanished."""

from typing import Any

from flask import Response
from marshmallow import fields
from sqlalchemy.orm import Session

from eventcal.feeds.entries.entry import EntryKind
from eventcal.feeds.resources import list_changes
from eventcal.kit.paging import DEFAULT_LIMIT
from eventcal.kit.refusals import Fault, Invalid, Sentence
from eventcal.web.api.blueprint import Subject
from eventcal.web.api.responses import Content, document, serve_public
from eventcal.web.identity.permissions import public
from eventcal.web.params.fields import Query, Text, page_size
from eventcal.web.schemas.out import Out

changes = Subject("changes", "What became public, changed or vanished")


class ChangesQuery(Query):
    """From where on, and how many at a time."""

    since = Text(
        load_default="0",
        metadata={
            "description": "`next` of the last answer; without it, from the beginning.",
            "pattern": "^[0-9]{1,18}$",
        },
    )
    limit = page_size(load_default=DEFAULT_LIMIT)


class ChangeOut(Out):
    """One thing that changed, and the revision it is at."""

    kind = fields.Enum(EntryKind, by_value=True, required=True)
    id = fields.String(required=True, metadata={"description": "A talk's id, an event's slug."})
    revision = fields.Integer(required=True)
    deleted = fields.Boolean(required=True)


class ChangesPage(Out):
    """A page of changes. `next` is never null: ask with it again, now or in an hour."""

    items = fields.List(fields.Nested(ChangeOut), required=True)
    next = fields.String(required=True)


@changes.get("/changes", public, query=ChangesQuery, returns=ChangesPage)
def list_all(query: dict[str, Any]) -> Response:
    """List what became public, changed or vanished since a cursor.

    Whoever follows `next` misses nothing and sees nothing twice.
    """
    since = query["since"]
    if not (since.isascii() and since.isdecimal() and len(since) <= 18):  # noqa: PLR2004 - what 64 bits hold
        raise Invalid(faults=[Fault("?since", Sentence("is no cursor of ours; leave it out to begin again"))])

    def make(session: Session) -> Content:
        found, reached = list_changes(session, since=int(since), limit=query["limit"])
        return document({"items": [ChangeOut.write(one) for one in found], "next": str(reached)})

    return serve_public(make)
