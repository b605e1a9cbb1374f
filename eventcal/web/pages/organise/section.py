"""What the pages of an event's organisers share: the event above them, and the way from one to the other."""

from eventcal.events.models import Event
from eventcal.web.pages.showing import Page
from eventcal.web.visitor import csrf_token


def section_page(event: Event, *, template: str, title: str, section: str = "", **values: object) -> Page:
    """Return one of the pages at /organise/{slug}; `section` is the rest of its path, "" for the first of them."""
    home = f"/organise/{event.slug}"
    return Page(
        template=f"pages/organise/{template}",
        title=title,
        path=f"{home}/{section}" if section else home,
        indexed=False,
        values={"event": event, "home": home, "section": section, "csrf": csrf_token(), **values},
    )
