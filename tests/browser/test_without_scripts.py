"""Scripts only add: without them every page says the same."""

from tests.browser.conftest import Visitor
from tests.browser.paths import every_document
from tests.browser.visit import Visit

ELSEWHERE = "Asia/Tokyo"


def links(visit: Visit) -> list[str]:
    found: list[str] = visit.ask("() => [...document.links].map((one) => one.href)")
    return found


@every_document
def test_without_scripts_a_page_says_the_same(visit: Visitor, name: str) -> None:
    with_scripts = visit(name, timezone_id=ELSEWHERE)
    label = with_scripts.page.get_attribute("body", "data-in-my-zone")
    without = visit(name, timezone_id=ELSEWHERE, java_script_enabled=False)
    assert without.text() == with_scripts.text().replace(f" · {label}", "")
    assert links(without) == [link for link in links(with_scripts) if "tz=Asia" not in link]
    assert without.page.title() == with_scripts.page.title()
