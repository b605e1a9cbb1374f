"""A browser without scripts that follows links, submits forms and validates the HTML of every page."""

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.html_pages import element_text, html_parse_errors, parse_html


@dataclass
class HtmlBrowser:
    """Goes from page to page, and sends a form with whatever it holds already."""

    client: FlaskClient
    response: TestResponse

    def visit(self, path: str) -> str:
        """Go to a page, and return what it says."""
        self.response = self.client.get(path, headers={"Accept": "text/html"}, follow_redirects=True)
        assert html_parse_errors(self.response.text) == []
        return self.main_text()

    def submit_form(self, action: str, **typed: str) -> str:
        """Fill in the form that goes to `action`, press the button, and return what the next page says."""
        held = self.form_values(action, typed.get("do"))
        self.response = self.client.post(
            action, data=held | typed, headers={"Accept": "text/html"}, follow_redirects=True
        )
        assert html_parse_errors(self.response.text) == []
        return self.main_text()

    def form_values(self, action: str, button: str | None = None) -> dict[str, str]:
        """Return what the fields hold of the form that goes to `action`, and has this button."""
        forms = [one for one in parse_html(self.response.text).iter("form") if one.get("action") == action]
        form = next(f for f in forms if button is None or button in {one.get("value") for one in f.iter("button")})
        held = {one.get("name", ""): one.get("value", "") for one in form.iter("input") if _is_submitted(one)}
        held |= {one.get("name", ""): (one.text or "").removeprefix("\n") for one in form.iter("textarea")}
        for select_ in form.iter("select"):
            chosen = [one for one in select_.iter("option") if "selected" in one.attrib] or list(select_.iter("option"))
            held[select_.get("name", "")] = chosen[0].get("value", "")
        return held

    def main_text(self) -> str:
        """Return the words of the page."""
        return element_text(next(parse_html(self.response.text).iter("main")))


def _is_submitted(field: Element) -> bool:
    """Say whether a browser sends a field: what is to be ticked, only if it is."""
    return field.get("type") not in {"checkbox", "radio"} or "checked" in field.attrib


def create_browser(app: Flask) -> HtmlBrowser:
    """Return a browser that has been nowhere yet."""
    return HtmlBrowser(app.test_client(), TestResponse([], "200", {}, None))  # type: ignore[arg-type]  # nothing yet
