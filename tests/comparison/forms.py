"""Submission of forms on web pages with the values that a browser would send."""

from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element

from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.comparison.public_responses import HTML_TYPE
from tests.comparison.recorder import RecordingClient
from tests.html_pages import parse_html

FormValues = Mapping[str, object]


def fill_in_form(
    person: RecordingClient,
    page: str,
    action: str,
    *,
    do: str | None = None,
    row: str | None = None,
    typed: FormValues | None = None,
    language: str = "en",
) -> TestResponse:
    """Fill in the form with this action on a page, and return the response to its submission.

    The page, the response and the page after a redirect are recorded.

    `do` is the value of the button.
    `row` is the value of the hidden field that distinguishes forms with the same button.
    """
    shown = person.get(page, Accept=HTML_TYPE, Accept_Language=language)
    return submit_form(person, shown, action, do=do, row=row, typed=typed)


def submit_form(
    person: RecordingClient,
    shown: TestResponse,
    action: str,
    *,
    do: str | None = None,
    row: str | None = None,
    typed: FormValues | None = None,
) -> TestResponse:
    """Submit a form on a page that is already loaded, and return the recorded response."""
    fields = _form_data(_find_form(shown.text, action, do, row=row))
    if do is not None:
        fields["do"] = do
    for name, value in (typed or {}).items():
        fields.setlist(name, value if isinstance(value, list) else [value])
    answer = person.request("POST", action, label=do or "", headers={"Accept": HTML_TYPE}, data=fields)
    if answer.location is not None:
        person.get(answer.location, Accept=HTML_TYPE)
    return answer


def _find_form(html: str, action: str, do: str | None, *, row: str | None) -> Element:
    """Return the form. Raise AssertionError with the page if the form is missing."""
    for form in parse_html(html).iter("form"):
        buttons = {one.get("value") for one in form.iter("button")}
        rows = {one.get("value") for one in form.iter("input") if one.get("name") == "row"}
        if form.get("action") == action and (do is None or do in buttons) and (row is None or row in rows):
            return form
    raise AssertionError(f"no form goes to {action} with the button {do} and the row {row} on:\n{html}")


def _form_data(form: Element) -> MultiDict[str, object]:
    fields: MultiDict[str, object] = MultiDict()
    for name, value in _iter_field_values(form):
        fields.add(name, value)
    return fields


def _iter_field_values(form: Element) -> Iterator[tuple[str, str]]:
    for field in form.iter("input"):
        kind = field.get("type")
        if kind != "file" and (kind not in {"checkbox", "radio"} or "checked" in field.attrib):
            yield field.get("name", ""), field.get("value", "")
    for area in form.iter("textarea"):
        yield area.get("name", ""), (area.text or "").removeprefix("\n")
    for choice in form.iter("select"):
        options: Sequence[Element] = list(choice.iter("option"))
        chosen = [one for one in options if "selected" in one.attrib] or options
        yield choice.get("name", ""), chosen[0].get("value", "")
