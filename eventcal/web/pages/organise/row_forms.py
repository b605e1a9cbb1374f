"""Pages with a form for each row of a list. The name of each field begins with the key of the row."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.kit.errors import DomainError, FieldError
from eventcal.web.pages.organise import layout
from eventcal.web.rendering.forms import Form, FormData, field_errors, rejected_form
from eventcal.web.rendering.page import Page
from eventcal.web.rendering.private_page import answer_rejected, form_view, page_response

_NO_POINTERS: Mapping[str, str] = MappingProxyType({})

NEW_ROW = "new"
"""The key of the row for a new item."""


@dataclass(frozen=True)
class RowForm(Form):
    """The form for a row of a list."""

    row_key: str = NEW_ROW

    def field_name(self, name: str) -> str:
        """Return the full name of a field, which begins with the row key."""
        return f"{self.row_key}-{name}"


def build_row_form(row_key: str, values: Mapping[str, object]) -> RowForm:
    """Return a row form with the values of an item."""
    texts = {f"{row_key}-{name}": "" if value is None else str(value) for name, value in values.items()}
    return RowForm(texts, {}, row_key)


def extract_row_data(row_key: str, data: FormData) -> FormData:
    """Return the submitted fields of a row. The field names do not include the row key."""
    start = f"{row_key}-"
    return FormData({name.removeprefix(start): value for name, value in data.items() if name.startswith(start)})


def redisplay_row(
    row_key: str, data: FormData, faults: Iterable[FieldError] = (), *, form_pointers: Mapping[str, str] = _NO_POINTERS
) -> RowForm:
    """Return a row form with the submitted values and the errors by field.

    `form_pointers` maps the JSON pointers of errors to the JSON pointers of form fields if the pointers differ.
    """
    form_errors = []
    for error in faults:
        pointer = form_pointers.get(error.pointer, error.pointer)
        form_errors.append(FieldError(f"/{row_key}-{pointer[1:]}" if pointer else "", error.detail))
    form = rejected_form(data, form_errors)
    return RowForm(form.values, form.faults, row_key)


def parse_submitted_row() -> tuple[str, str, FormData]:
    """Return the value of the clicked button (`do`), the key of its row, and the submitted fields of the row."""
    do = request.form.get("do", "")
    row = do.replace("add", NEW_ROW, 1) if do.startswith("add") else request.form.get("row", "")
    return do, row, extract_row_data(row, request.form)


def handle_row_forms(
    slug: str,
    process: Callable[[Session, Event], str],
    *,
    render_list: Callable[[Session, Event, RowForm | None], Page],
    error_fields: Mapping[type[DomainError], str],
    form_pointers: Mapping[str, str] = _NO_POINTERS,
) -> Response:
    """Return the page with a list, or call `process` in a unit of work if a row of the list was submitted.

    If an error occurs, the list shows the submitted values. `error_fields` maps exception classes to form fields.
    """
    if request.method != "POST":
        with layout.open_event_session(slug) as (session, event):
            return page_response(render_list(session, event, None))

    def show_again(error: DomainError) -> Response:
        _do, row, _typed = parse_submitted_row()
        errors = field_errors(error, default_field=error_fields.get(type(error), ""))
        with layout.open_event_session(slug) as (session, event):
            page = render_list(session, event, redisplay_row(row, request.form, errors, form_pointers=form_pointers))
            return answer_rejected(page, error)

    @form_view(show_again)
    def change_row() -> str:
        with layout.changing_event(slug) as (session, event):
            return process(session, event)

    return change_row()
