"""No page is wider than the window, and every control is large enough."""

from tests.browser.visit import NARROW, WIDE, Visit

SMALLEST_TARGET = 44

# Elements that extend beyond the window, unless an ancestor scrolls or clips them.
_STICKING_OUT = """() => {
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
# Labels belong to the target of a checkbox or radio button.
_SMALL_CONTROLS = """(smallest) => {
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
_ADD_STYLE = """(rules) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules);
  document.adoptedStyleSheets.push(sheet);
}"""
_REMOVE_STYLES = "() => { document.adoptedStyleSheets = []; }"
_LARGE_LETTERS = "html { font-size: 200% !important; }"
# The text spacing that WCAG 1.4.12 requires pages to support.
_ROOMY_TEXT = """
body * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
p { margin-bottom: 2em !important; }
"""


def sticking_out(visit: Visit) -> list[str]:
    """Return the elements that make the page wider than the window."""
    found: list[str] = visit.ask(_STICKING_OUT)
    return found


def small_controls(visit: Visit) -> list[str]:
    """Return the controls that are too low for touch."""
    found: list[str] = visit.ask(_SMALL_CONTROLS, SMALLEST_TARGET)
    return found


def page_fits_narrow_windows(visit: Visit) -> None:
    """Check the window of a phone, and the narrowest window of WCAG 1.4.10, which is a common one at 400 %."""
    found = {}
    for width, height in ((NARROW, 900), (320, 640)):
        visit.reset(width=width, height=height)
        found[width] = sticking_out(visit)
    assert found == {NARROW: [], 320: []}


def page_fits_with_large_letters_and_roomy_text(visit: Visit) -> None:
    """Check text of double size, first alone and then with more spacing."""
    visit.reset(width=720)
    try:
        visit.ask(_ADD_STYLE, _LARGE_LETTERS)
        large = sticking_out(visit)
        visit.ask(_ADD_STYLE, _ROOMY_TEXT)
        assert {"large": large, "large and roomy": sticking_out(visit)} == {"large": [], "large and roomy": []}
    finally:
        visit.ask(_REMOVE_STYLES)


def controls_are_large_enough(visit: Visit) -> None:
    """Check a wide and a narrow window."""
    found = {}
    for width in (WIDE, NARROW):
        visit.reset(width=width)
        found[width] = small_controls(visit)
    assert found == {WIDE: [], NARROW: []}
