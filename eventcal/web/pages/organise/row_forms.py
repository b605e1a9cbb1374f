"""Pages with a form for each row of a list. The name of each form field begins with the key of its row."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.models import Event
from eventcal.kit.errors import DomainError, FieldError
from eventcal.web.pages.organise import layout
from eventcal.web.rendering.forms import Form, FormData, field_errors, rejected_form
from eventcal.web.rendering.page import Page
from eventcal.web.rendering.private_page import answer_rejected, form_view, page_response

NEW_ROW = "new"
"""The key of the row for a new item."""


@dataclass(frozen=True)
class RowForm(Form):
    """The form for a row of a list."""

    row_key: str = NEW_ROW

    def field_name(self, name: str) -> str:
        return f"{self.row_key}-{name}"


def build_row_form(row_key: str, values: Mapping[str, object]) -> RowForm:
    texts = {f"{row_key}-{name}": "" if value is None else str(value) for name, value in values.items()}
    return RowForm(texts, {}, row_key)


def extract_row_data(row_key: str, data: FormData) -> FormData:
    """Return the submitted fields of a row, with the row key removed from their names."""
    start = f"{row_key}-"
    return FormData({name.removeprefix(start): value for name, value in data.items() if name.startswith(start)})


def redisplay_row(
    row_key: str, data: FormData, faults: Iterable[FieldError] = (), *, form_pointers: Mapping[str, str] | None = None
) -> RowForm:
    """Return the submitted row form with its errors. `form_pointers` maps JSON pointers of errors to form fields."""
    errors = []
    for error in faults:
        pointer = (form_pointers or {}).get(error.pointer, error.pointer)
        errors.append(FieldError(f"/{row_key}-{pointer[1:]}" if pointer else "", error.detail))
    form = rejected_form(data, errors)
    return RowForm(form.values, form.faults, row_key)


def row_context(forms: Mapping[str, RowForm], invalid_row: RowForm | None) -> dict[str, Any]:
    """Return the template variables for row forms. `invalid_row` replaces the form with the same row key."""
    invalid = {} if invalid_row is None else {invalid_row.row_key: invalid_row}
    return {"forms": {**forms, **invalid}, "wrong": invalid_row or RowForm()}


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
    form_pointers: Mapping[str, str] | None = None,
) -> Response:
    """Return the page with a list, or call `process` in a unit of work if a row of the list was submitted.

    If an error occurs, the list shows the submitted values. `error_fields` maps exception classes to form fields.
    """
    if request.method != "POST":
        with layout.open_event_session(slug) as (session, event):
            return page_response(render_list(session, event, None))

    def show_again(error: DomainError) -> Response:
        _do, row, _data = parse_submitted_row()
        errors = field_errors(error, default_field=error_fields.get(type(error), ""))
        with layout.open_event_session(slug) as (session, event):
            page = render_list(session, event, redisplay_row(row, request.form, errors, form_pointers=form_pointers))
            return answer_rejected(page, error)

    @form_view(show_again)
    def change_row() -> str:
        with layout.changing_event(slug) as (session, event):
            return process(session, event)

    return change_row()
