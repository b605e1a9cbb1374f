"""A browser without scripts that follows links, submits forms and validates the HTML of every page."""

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.html_pages import element_text, html_parse_errors, parse_html


@dataclass
class HtmlBrowser:
    """Follows links and submits forms, keeping the values that a form already has."""

    client: FlaskClient
    response: TestResponse

    def visit(self, path: str) -> str:
        """Open a page and return its main text."""
        self.response = self.client.get(path, headers={"Accept": "text/html"}, follow_redirects=True)
        assert html_parse_errors(self.response.text) == []
        return self.main_text()

    def submit_form(self, action: str, **typed: str) -> str:
        """Submit the form with this action and return the main text of the next page."""
        held = self.form_values(action, typed.get("do"))
        self.response = self.client.post(
            action, data=held | typed, headers={"Accept": "text/html"}, follow_redirects=True
        )
        assert html_parse_errors(self.response.text) == []
        return self.main_text()

    def form_values(self, action: str, button: str | None = None) -> dict[str, str]:
        """Return the field values of the form with this action and button."""
        forms = [one for one in parse_html(self.response.text).iter("form") if one.get("action") == action]
        form = next(f for f in forms if button is None or button in {one.get("value") for one in f.iter("button")})
        held = {one.get("name", ""): one.get("value", "") for one in form.iter("input") if _is_submitted(one)}
        held |= {one.get("name", ""): (one.text or "").removeprefix("\n") for one in form.iter("textarea")}
        for select_ in form.iter("select"):
            chosen = [one for one in select_.iter("option") if "selected" in one.attrib] or list(select_.iter("option"))
            held[select_.get("name", "")] = chosen[0].get("value", "")
        return held

    def main_text(self) -> str:
        """Return the text of the main element."""
        return element_text(next(parse_html(self.response.text).iter("main")))


def _is_submitted(field: Element) -> bool:
    """Return whether a browser submits the field: a checkbox or radio button is submitted only if it is checked."""
    return field.get("type") not in {"checkbox", "radio"} or "checked" in field.attrib


def create_browser(app: Flask) -> HtmlBrowser:
    """Return a browser without a current page."""
    return HtmlBrowser(app.test_client(), TestResponse([], "200", {}, None))  # type: ignore[arg-type]  # no response yet
