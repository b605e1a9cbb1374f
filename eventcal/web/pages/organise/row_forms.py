"""Forms that stand one below the other on a page, each for one thing: a field's name begins with whose it is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.kit.refusals import Fault, Refusal
from eventcal.web.pages.organise import layout
from eventcal.web.rendering.forms import Form, Typed, faults_of, typed_again
from eventcal.web.rendering.page import Page
from eventcal.web.rendering.private_page import answer_page

_NO_PLACES: Mapping[str, str] = MappingProxyType({})

NEW = "new"
"""What the form is known by of something that is not there yet."""


@dataclass(frozen=True)
class RowForm(Form):
    """One of the forms; its fields are asked for by their own names, as `field` has them on the page."""

    row: str = NEW

    def field(self, name: str) -> str:
        """Return the name that a field has on the page."""
        return f"{self.row}-{name}"


def row_form(row: str, values: Mapping[str, object]) -> RowForm:
    """Return the form of one thing with what it says."""
    return RowForm({f"{row}-{name}": "" if value is None else str(value) for name, value in values.items()}, {}, row)


def typed_in(row: str, typed: Typed) -> Typed:
    """Return what was typed in the form of one thing, by the fields' own names."""
    start = f"{row}-"
    return Typed({name.removeprefix(start): value for name, value in typed.items() if name.startswith(start)})


def row_again(
    row: str, typed: Typed, faults: Iterable[Fault] = (), *, places: Mapping[str, str] = _NO_PLACES
) -> RowForm:
    """Return the form of a row with what was typed, and each fault beside its field.

    `places` are the pointers to the fields of the form, by the pointers of the faults, where these differ.
    """
    placed = []
    for fault in faults:
        pointer = places.get(fault.pointer, fault.pointer)
        placed.append(Fault(f"/{row}-{pointer[1:]}" if pointer else "", fault.detail))
    again = typed_again(typed, placed)
    return RowForm(again.values, again.faults, row)


def sent_row() -> tuple[str, str, Typed]:
    """Return the button that was pressed (`do`), the row of its form, and what was typed in it.

    The row of a button such as "add-room" is "new-room".
    """
    do = request.form.get("do", "")
    row = do.replace("add", NEW, 1) if do.startswith("add") else request.form.get("row", "")
    return do, row, typed_in(row, request.form)


def handle_rows(
    slug: str,
    process: Callable[[Session, Event], str],
    *,
    render_list: Callable[[Session, Event, RowForm | None], Page],
    fields: Mapping[type[Refusal], str],
    places: Mapping[str, str] = _NO_PLACES,
) -> Response:
    """Show a list of an event, or call `process` for a form of it that was sent, as layout.handle_event_form does.

    On an error, show the list with what was typed in the row. `fields` are the fields beside which errors that name no
    field are shown, by their types.
    """
    if request.method != "POST":
        with layout.reading_event(slug) as (session, event):
            return answer_page(render_list(session, event, None))

    def render_form(session: Session, event: Event, error: Refusal) -> Page:
        _do, row, _typed = sent_row()
        faults = faults_of(error, at=fields.get(type(error), ""))
        return render_list(session, event, row_again(row, request.form, faults, places=places))

    return layout.handle_event_form(slug, process, render_form=render_form)
