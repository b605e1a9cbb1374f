"""What the pages of an event's organisers share: the event above them, and the way from one to the other."""

from flask import request
from flask_babel import gettext as _

from eventcal.events.models import Event
from eventcal.events.queries import decides_for
from eventcal.web.identity.current_user import csrf_token
from eventcal.web.identity.permissions import caller
from eventcal.web.rendering.page import Page

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
