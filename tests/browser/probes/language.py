"""A check that readers of German receive German pages."""

from eventcal.kit.translations import load_translations
from tests.browser.visit import NARROW_WINDOW, Visit

# The text of the main element in this document or in the given HTML.
_MAIN_TEXT_SCRIPT = """(source) => {
  const it = source === null ? document : new DOMParser().parseFromString(source, 'text/html');
  return it.querySelector('main').textContent.split(/\\s+/).filter(Boolean).join(' ');
}"""


def page_is_in_german(visit: Visit) -> None:
    """Check the language attribute and the header, and that the main element differs from the English page."""
    visit.reset(width=NARROW_WINDOW)
    assert visit.content.language == "de"
    said = load_translations("de").gettext("Events and talks")
    assert said != "Events and talks"
    assert said in (visit.page.get_by_role("banner").text_content() or "")
    english = visit.page.request.get(visit.url, headers={"Accept": "text/html", "Accept-Language": "en-GB"}).text()
    assert '<html lang="en-GB"' in english
    assert visit.evaluate(_MAIN_TEXT_SCRIPT, None) != visit.evaluate(_MAIN_TEXT_SCRIPT, english)
