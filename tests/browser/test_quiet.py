"""A browser has nothing to complain of: no error, nothing from elsewhere, nothing that does not come or is refused."""

import pytest

from tests.browser.conftest import Visitor
from tests.browser.paths import every_document
from tests.browser.visit import Visit


def complaints_after(visit: Visit, script: str) -> list[str]:
    """Give what the browser complains of once a script has run, and let the visit be forgiven for it."""
    visit.ask(f"async () => {{ {script} }}")
    visit.page.wait_for_timeout(200)
    said = list(visit.complaints)
    visit.complaints.clear()
    return said


@every_document
def test_the_browser_does_not_complain_of_a_page(visit: Visitor, name: str) -> None:
    opened = visit(name)
    opened.page.wait_for_load_state("networkidle")
    # Now what was made for the first visit is answered again.
    opened.page.emulate_media(color_scheme="dark")
    opened.page.reload(wait_until="networkidle")
    assert opened.complaints == []


def test_the_browser_finds_an_icon(visit: Visitor) -> None:
    opened = visit("talk")
    icon = opened.ask("() => document.querySelector('link[rel~=icon]')?.href ?? new URL('/favicon.ico', location).href")
    assert opened.page.request.get(icon).ok, icon


COMPLAINTS = {
    "an error": ("error: broken", "console.error('broken')"),
    "a warning": ("warning: odd", "console.warn('odd')"),
    "an exception": ("raised late", "setTimeout(() => { throw new Error('late') })"),
    "a request elsewhere": ("asked for http://127.0.0.2", "setTimeout(() => location.assign('http://127.0.0.2:9/'))"),
    "no answer": ("did not get http://127.0.0.2", "setTimeout(() => location.assign('http://127.0.0.2:9/'))"),
    "a refusal": ("got 404", "new Image().src = '/static/none.png'"),
    "a script's request": ("Content Security Policy", "await fetch('http://127.0.0.2:9/').catch(() => 0)"),
    "a style": ("Content Security Policy", "document.body.setAttribute('style', 'color: red')"),
}


@pytest.mark.parametrize("kind", COMPLAINTS)
def test_what_a_browser_complains_of_would_be_noticed(visit: Visitor, kind: str) -> None:
    said, script = COMPLAINTS[kind]
    complaints = complaints_after(visit("talk"), script)
    assert any(said in complaint for complaint in complaints), complaints
