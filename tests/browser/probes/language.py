"""Who reads German gets German."""

from eventcal.kit.catalogue import words_of
from tests.browser.visit import NARROW, Visit

# What the main part of a document says, whether it is this one or the source of another.
_MAIN_TEXT = """(source) => {
  const it = source === null ? document : new DOMParser().parseFromString(source, 'text/html');
  return it.querySelector('main').textContent.split(/\\s+/).filter(Boolean).join(' ');
}"""


def page_is_in_german(visit: Visit) -> None:
    """Check its language, its header, and that its main part differs from what a reader of English gets."""
    visit.reset(width=NARROW)
    assert visit.content.language == "de"
    said = words_of("de").gettext("Events and talks")
    assert said != "Events and talks"
    assert said in (visit.page.get_by_role("banner").text_content() or "")
    english = visit.page.request.get(visit.url, headers={"Accept": "text/html", "Accept-Language": "en-GB"}).text()
    assert '<html lang="en-GB"' in english
    assert visit.ask(_MAIN_TEXT, None) != visit.ask(_MAIN_TEXT, english)
