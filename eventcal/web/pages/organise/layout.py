"""Functions shared by the pages for organisers: loading events, checking forms and rendering the layout."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TypeVar

from flask import request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.events.queries import can_manage_event, get_event_for_organiser
from eventcal.kit.errors import Invalid, Message, NotFound, VersionConflict, require
from eventcal.kit.pagination import MAX_LIMIT
from eventcal.members.caller import Caller
from eventcal.talks.errors import TalkNotFound
from eventcal.talks.models import Talk
from eventcal.talks.submission_queries import list_submissions_by_id
from eventcal.web.identity.current_user import caller, csrf_token
from eventcal.web.rendering.page import Page
from eventcal.web.rendering.private_page import page_response
from eventcal.web.request.context import read_session, unit_of_work

StepT = TypeVar("StepT", bound=StrEnum)
GetEvent = Callable[[Session, str, Caller], Event]


@contextmanager
def open_event_session(slug: str, *, get_event: GetEvent = get_event_for_organiser) -> Iterator[tuple[Session, Event]]:
    """Yield a read-only session and the event that `get_event` returns for the current user."""
    with read_session() as session:
        yield session, get_event(session, slug, caller())


@contextmanager
def changing_event(slug: str, *, find: GetEvent = get_event_for_organiser) -> Iterator[tuple[Session, Event]]:
    """Yield the session of a unit of work and the event that `find` returns for the current user."""
    with unit_of_work() as session:
        yield session, find(session, slug, caller())


def render_section(event: Event, *, section: str, template: str, title: str, **context: object) -> Page:
    """Return a page for the organisers of an event. `section` is the endpoint of the section's first page."""
    return Page(
        template=f"pages/organise/{template}",
        title=title,
        path=url_for(f"pages.{section}", slug=event.slug),
        indexed=False,
        context={"event": event, "decides": can_manage_event(event, caller()), "csrf": csrf_token(), **context},
    )


def confirm_page(event: Event, section: str, template: str, *, title: str, **context: object) -> Response:
    return page_response(render_section(event, section=section, template=template, title=title, within=True, **context))


def get_step(name: str, steps: Iterable[StepT]) -> StepT:
    """Return the action with the given name, or raise NotFound."""
    return require(next((step for step in steps if step == name), None), NotFound(Message("There is no such step.")))


def get_talks_of_event(
    session: Session, event: Event, talk_ids: Sequence[str], *, too_many_message: Message
) -> list[Talk]:
    """Return the event's talks with the given IDs. Raises TalkNotFound, or Invalid for more than MAX_LIMIT IDs."""
    if len(talk_ids) > MAX_LIMIT:
        raise Invalid(too_many_message)
    talks = list_submissions_by_id(session, event, talk_ids)
    missing = set(talk_ids) - {talk.id for talk in talks}
    if missing:
        raise TalkNotFound(min(missing))
    return talks


def check_edit_conflict(event: Event) -> None:
    """Raise VersionConflict if the event has changed since the submitted form was rendered."""
    if request.form.get("revision") != str(event.revision):
        raise VersionConflict(Message("Somebody else changed this event meanwhile."))


def find_completed_count(action: str) -> int | None:
    """Return the number of changed talks from the query string, or None if the parameter `done` is not `action`."""
    number = request.args.get("number", "")
    return int(number) if re.fullmatch("[0-9]{1,4}", number) and request.args.get("done") == action else None
