"""A check that pages have the same content without scripts."""

from tests.browser.visit import Visit


def page_has_the_same_content_without_scripts(visit: Visit) -> None:
    """Load the page without scripts and compare its content. The visit ends on a page without scripts."""
    session = visit.page.context.new_cdp_session(visit.page)
    session.send("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        visit.mark_changed()
        visit.reset()
        without = visit.read_content()
    finally:
        session.send("Emulation.setScriptExecutionDisabled", {"value": False})
        session.detach()
        visit.mark_changed()
    told = visit.content
    assert without.text == told.text.replace(f" · {told.zone_label}", "")
    assert without.links == [link for link in told.links if "tz=Asia" not in link]
    assert without.title == told.title
