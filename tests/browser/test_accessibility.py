"""What axe-core finds that keeps people out of a page: WCAG 2.2 up to AA, and what is good practice."""

from itertools import product
from typing import Literal

import pytest

from tests.browser.conftest import Visitor
from tests.browser.paths import every_document
from tests.browser.visit import Visit

WIDTHS = (1200, 360)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Each finding with where it is, so that whoever reads the failure knows what to look at.
RUN = """async () => {
  const kinds = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await axe.run(document, { runOnly: kinds, resultTypes: ['violations'] });
  return found.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id} (${rule.help}): ${node.target.join(' ')}: ${node.failureSummary}`));
}"""


def violations(visit: Visit, axe: str) -> list[str]:
    if not visit.ask("() => 'axe' in window"):
        visit.ask(axe)
    found: list[str] = visit.ask(RUN)
    return found


@every_document
def test_axe_finds_nothing_wrong_wide_and_narrow_light_and_dark(visit: Visitor, axe: str, name: str) -> None:
    opened = visit(name)
    found = {}
    for width, scheme in product(WIDTHS, SCHEMES):
        opened.page.set_viewport_size({"width": width, "height": 900})
        opened.page.emulate_media(color_scheme=scheme)
        found[f"{width} px, {scheme}"] = violations(opened, axe)
    assert {look: faults for look, faults in found.items() if faults} == {}


SPOILT = {
    "html-has-lang": "document.documentElement.removeAttribute('lang')",
    "page-has-heading-one": "document.querySelector('h1').remove()",
    "color-contrast": "document.querySelector('h1').style.color = '#ddd'",
    "target-size": """
        for (const name of ['one', 'two']) {
          const button = Object.assign(document.createElement('button'), { textContent: name });
          Object.assign(button.style, { display: 'block', height: '8px', minHeight: 0, padding: 0 });
          document.querySelector('main').append(button);
        }
    """,
}


@pytest.mark.parametrize("rule", SPOILT)
def test_what_is_wrong_would_be_found(visit: Visitor, axe: str, rule: str) -> None:
    opened = visit("talk")
    opened.ask(f"() => {{ {SPOILT[rule]} }}")
    assert any(found.startswith(rule) for found in violations(opened, axe))
