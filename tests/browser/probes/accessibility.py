"""Checks by axe-core for violations of WCAG 2.2 level AA and of best practices."""

from itertools import product

from tests.browser.visit import NARROW_WINDOW, WIDE_WINDOW, Scheme, Visit

WINDOW_WIDTHS = (WIDE_WINDOW, NARROW_WINDOW)
COLOUR_SCHEMES: tuple[Scheme, ...] = ("light", "dark")
# Violations are returned together with their elements, for the error message.
_RUN_AXE_SCRIPT = """async () => {
  const kinds = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const found = await axe.run(document, { runOnly: kinds, resultTypes: ['violations'] });
  return found.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id} (${rule.help}): ${node.target.join(' ')}: ${node.failureSummary}`));
}"""


def find_violations(visit: Visit) -> list[str]:
    """Return the violations that axe-core finds on the page in its current state."""
    source = visit.axe_source()
    if not visit.evaluate("() => 'axe' in window"):
        visit.evaluate(source)
    found: list[str] = visit.evaluate(_RUN_AXE_SCRIPT)
    return found


def page_has_no_accessibility_violations(visit: Visit) -> None:
    """Check the page with axe-core in a wide and a narrow window, in light and dark mode."""
    found = {}
    for width, scheme in product(WINDOW_WIDTHS, COLOUR_SCHEMES):
        visit.reset(width=width, scheme=scheme)
        found[f"{width} px, {scheme}"] = find_violations(visit)
    assert {look: faults for look, faults in found.items() if faults} == {}
