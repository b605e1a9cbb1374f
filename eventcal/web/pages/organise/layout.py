"""What the pages of an event's organisers share: the event above them, and the way from one to the other."""

from collections.abc import Callable

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.events.queries import decides_for, get_organised_event
from eventcal.kit.refusals import Refusal
from eventcal.web.identity.current_user import csrf_token
from eventcal.web.identity.permissions import caller
from eventcal.web.rendering.page import Page
from eventcal.web.rendering.private_page import answer_page, handle_form
from eventcal.web.request.context import reading, unit_of_work

# Nobody changes more talks at once than a number of so many digits.
_MOST_DIGITS = 4


def section_page(event: Event, *, template: str, title: str, section: str = "", **values: object) -> Page:
    """Return one of the pages at /organise/{slug}; `section` is the rest of its path, "" for the first of them."""
    home = f"/organise/{event.slug}"
    return Page(
        template=f"pages/organise/{template}",
        title=title,
        path=f"{home}/{section}" if section else home,
        indexed=False,
        values={
            "event": event,
            "home": home,
            "section": section,
            "sections": _sections(event),
            "csrf": csrf_token(),
            **values,
        },
    )


def show_event_page(slug: str, render: Callable[[Session, Event], Page]) -> Response:
    """Return the page that `render` makes of an event, if the caller organises it."""
    with reading() as session:
        return answer_page(render(session, get_organised_event(session, slug, caller())))


def handle_event_form(
    slug: str, process: Callable[[Session, Event], str], *, render_form: Callable[[Session, Event, Refusal], Page]
) -> Response:
    """Call `process` in a unit of work with an event that the caller organises, as handle_form does."""

    def process_event() -> str:
        with unit_of_work() as session:
            return process(session, get_organised_event(session, slug, caller()))

    def render_event_form(session: Session, error: Refusal) -> Page:
        return render_form(session, get_organised_event(session, slug, caller()), error)

    return handle_form(process_event, render_form=render_event_form)


def _sections(event: Event) -> list[tuple[str, str]]:
    """Return the pages of an event that the caller may open, each by the rest of its path and by its name."""
    reviewed = [("", _("Submissions")), ("schedule", _("Schedule"))]
    if not decides_for(event, caller()):
        return reviewed
    return [
        *reviewed,
        ("event", _("Event")),
        ("parts", _("Rooms and tracks")),
        ("sponsors", _("Sponsors")),
        ("team", _("Team")),
        ("publishing", _("Publishing")),
    ]


def number_done(done: str) -> int | None:
    """Return with how many talks something was just done, as the query has it; None if it names something else."""
    number = request.args.get("number", "")
    is_number = number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS
    return int(number) if is_number and request.args.get("done") == done else None
