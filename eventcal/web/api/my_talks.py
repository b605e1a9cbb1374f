"""/api/v1/me/talks and /api/v1/me/stars: what a member offered, and what they want to see."""

from typing import Any

from flask import Response

from eventcal.members.words import Scope
from eventcal.talks import service
from eventcal.talks.queries import get_talk, list_own_talks, list_stars
from eventcal.web.api.blueprint import Subject
from eventcal.web.api.pagination import next_page_link, page_asked
from eventcal.web.api.responses import nothing, serve_private
from eventcal.web.identity.permissions import caller, member
from eventcal.web.request.context import links, now, reading, unit_of_work
from eventcal.web.schemas.fields import PageQuery
from eventcal.web.schemas.talks import TalkPage, talk_json

agenda = Subject("agenda", "A member's own talks and stars")


@agenda.get("/me/talks")
@member(Scope.READ)
@agenda.query(PageQuery)
@agenda.answers(200, TalkPage)
def own_talks(query: dict[str, Any]) -> Response:
    """List the talks that the member offered or gives, in every state, the newest first."""
    with reading() as session:
        page = list_own_talks(session, caller(), paging=page_asked(query))
        items = [talk_json(talk, links(), state=talk.state) for talk in page.items]
    return serve_private({"items": items, "next": page.next}, link=next_page_link(query, page.next))


@agenda.get("/me/stars")
@member(Scope.READ)
@agenda.query(PageQuery)
@agenda.answers(200, TalkPage)
def starred(query: dict[str, Any]) -> Response:
    """List the public talks on the member's agenda."""
    with reading() as session:
        page = list_stars(session, caller(), paging=page_asked(query), now=now())
        items = [talk_json(talk, links()) for talk in page.items]
    return serve_private({"items": items, "next": page.next}, link=next_page_link(query, page.next))


@agenda.put("/me/stars/<talk_id>")
@member(Scope.SUBMIT)
@agenda.answers(204)
def star(talk_id: str) -> Response:
    """Put a talk on the agenda; once more changes nothing."""
    with unit_of_work() as session:
        service.add_star(session, get_talk(session, talk_id, caller()), caller=caller(), now=now())
    return nothing()


@agenda.delete("/me/stars/<talk_id>")
@member(Scope.SUBMIT)
@agenda.answers(204)
def unstar(talk_id: str) -> Response:
    """Take a talk off the agenda; once more changes nothing."""
    with unit_of_work() as session:
        service.remove_star(session, talk_id, caller=caller())
    return nothing()
