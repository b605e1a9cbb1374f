"""Checks that no page is wider than the window and that every control is large enough."""

from tests.browser.visit import NARROW_WINDOW, WIDE_WINDOW, Visit

MIN_TARGET_HEIGHT = 44

# Elements that extend beyond the window, except elements inside an ancestor that scrolls or clips its content.
_FIND_OVERFLOW_SCRIPT = """() => {
  const width = document.documentElement.clientWidth;
  const kept = (one) => {
    for (let up = one.parentElement; up && up !== document.body; up = up.parentElement) {
      if (getComputedStyle(up).overflowX !== 'visible') return true;
    }
    return false;
  };
  if (document.scrollingElement.scrollWidth <= width) return [];
  const out = [...document.body.querySelectorAll('*')].filter((one) =>
    one.getBoundingClientRect().right > width + 0.5 && !kept(one));
  return [`${document.scrollingElement.scrollWidth} px of ${width}`,
    ...out.map((one) => `${one.localName}.${one.className}: ${one.textContent.trim().slice(0, 40)}`)];
}"""
# The label of a checkbox or radio button belongs to its target area.
_FIND_SMALL_CONTROLS_SCRIPT = """(smallest) => {
  const controls = [...document.querySelectorAll('nav a, header a, footer a, button, .button, summary, ' +
    'form :is(a, input:not([type=hidden]), select, textarea)')];
  return controls
    .filter((one) => one.checkVisibility() && !one.matches('.skip'))
    .map((one) => {
      const parts = ['checkbox', 'radio'].includes(one.type) ? [one, ...one.labels] : [one];
      return [Math.max(...parts.map((part) => part.getBoundingClientRect().height)), one];
    })
    .filter(([height]) => height < smallest - 0.5)
    .map(([height, one]) => `${height} px: ${one.outerHTML.slice(0, 120)}`);
}"""
_ADD_STYLE_SCRIPT = """(rules) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules);
  document.adoptedStyleSheets.push(sheet);
}"""
_REMOVE_STYLES_SCRIPT = "() => { document.adoptedStyleSheets = []; }"
_LARGE_TEXT_CSS = "html { font-size: 200% !important; }"
# The text spacing that WCAG 1.4.12 requires pages to support.
_SPACED_TEXT_CSS = """
body * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }
"""


def find_overflowing_elements(visit: Visit) -> list[str]:
    """Return descriptions of the elements that make the page wider than the window."""
    found: list[str] = visit.evaluate(_FIND_OVERFLOW_SCRIPT)
    return found


def find_small_controls(visit: Visit) -> list[str]:
    """Return descriptions of the controls that are too small for touch."""
    found: list[str] = visit.evaluate(_FIND_SMALL_CONTROLS_SCRIPT, MIN_TARGET_HEIGHT)
    return found


def page_fits_narrow_windows(visit: Visit) -> None:
    """Check the width of a phone, and 320 pixels, the width that WCAG 1.4.10 requires (1280 pixels at 400 % zoom)."""
    found = {}
    for width, height in ((NARROW_WINDOW, 900), (320, 640)):
        visit.reset(width=width, height=height)
        found[width] = find_overflowing_elements(visit)
    assert found == {NARROW_WINDOW: [], 320: []}


def page_fits_with_large_and_spaced_text(visit: Visit) -> None:
    """Check text at twice its size, with normal and with increased spacing."""
    visit.reset(width=720)
    try:
        visit.evaluate(_ADD_STYLE_SCRIPT, _LARGE_TEXT_CSS)
        large = find_overflowing_elements(visit)
        visit.evaluate(_ADD_STYLE_SCRIPT, _SPACED_TEXT_CSS)
        assert {"large": large, "large and roomy": find_overflowing_elements(visit)} == {
            "large": [],
            "large and roomy": [],
        }
    finally:
        visit.evaluate(_REMOVE_STYLES_SCRIPT)


def controls_are_large_enough(visit: Visit) -> None:
    """Check the size of controls in a wide and a narrow window."""
    found = {}
    for width in (WIDE_WINDOW, NARROW_WINDOW):
        visit.reset(width=width)
        found[width] = find_small_controls(visit)
    assert found == {WIDE_WINDOW: [], NARROW_WINDOW: []}
