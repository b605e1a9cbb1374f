"""Tests that the probes detect errors on modified pages."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import OpenVisit
from tests.browser.probes import accessibility, browser_errors, keyboard, language, printing, scripts, sizes, zones
from tests.browser.visit import NARROW_WINDOW, Visit

Probe = Callable[[Visit], None]

AXE_VIOLATIONS = {
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
BROWSER_COMPLAINTS = {
    "an error": ("error: broken", "console.error('broken')"),
    "a warning": ("warning: odd", "console.warn('odd')"),
    "an exception": ("raised late", "setTimeout(() => { throw new Error('late') })"),
    "a request elsewhere": ("requested http://127.0.0.2", "setTimeout(() => location.assign('http://127.0.0.2:9/'))"),
    "no answer": ("did not get http://127.0.0.2", "setTimeout(() => location.assign('http://127.0.0.2:9/'))"),
    "a refusal": ("got 404", "new Image().src = '/static/none.png'"),
    "a script's request": ("Content Security Policy", "await fetch('http://127.0.0.2:9/').catch(() => 0)"),
    "a style": ("Content Security Policy", "document.body.setAttribute('style', 'color: red')"),
}
# For each probe, a script that modifies the page of a talk so that the probe fails.
FAILING_SCRIPTS: list[tuple[Probe, str]] = [
    (printing.print_shows_only_the_content, "document.querySelector('header.site').style.display = 'block'"),
    (sizes.page_fits_narrow_windows, "document.querySelector('h1').style.minWidth = '400px'"),
    (sizes.controls_are_large_enough, "document.querySelector('.button').style.minHeight = '1rem'"),
    (sizes.page_fits_with_large_and_spaced_text, "document.querySelector('h1').style.minWidth = '23rem'"),
    (accessibility.page_has_no_accessibility_violations, "document.documentElement.removeAttribute('lang')"),
    (keyboard.visual_order_is_document_order, "document.querySelector('main').style.order = '1'"),
    (keyboard.tab_order_is_complete_and_visible, "document.querySelector('main a').style.outline = 'none'"),
    (keyboard.tab_order_is_complete_and_visible, "document.querySelector('main a').tabIndex = 1"),
    (keyboard.skip_link_comes_first_and_skips_the_header, "document.querySelector('.skip').remove()"),
    (keyboard.enter_follows_a_link, "for (const one of document.querySelectorAll('main a')) one.tabIndex = -1"),
    (browser_errors.browser_reports_no_errors, "console.error('broken')"),
]


@pytest.mark.parametrize(
    ("probe", "fault"), FAILING_SCRIPTS, ids=[f"{probe.__name__}-{fault}" for probe, fault in FAILING_SCRIPTS]
)
def test_probe_fails_on_a_modified_page(open_visit: OpenVisit, probe: Probe, fault: str) -> None:
    opened = open_visit("talk")
    opened.evaluate(f"() => {{ {fault} }}")
    with pytest.raises(AssertionError):
        probe(opened)


def test_zones_probe_fails_without_a_link_to_the_visitors_zone(open_visit: OpenVisit) -> None:
    opened = open_visit("crowded-talk")
    opened.evaluate("() => document.querySelector('.zone a').remove()")
    with pytest.raises(AssertionError):
        zones.times_are_available_in_the_visitors_zone(opened)


def test_language_probe_fails_for_an_english_page(open_visit: OpenVisit) -> None:
    with pytest.raises(AssertionError):
        language.page_is_in_german(open_visit("talk"))


def test_scripts_probe_fails_for_content_added_by_a_script(open_visit: OpenVisit) -> None:
    opened = open_visit("talk")
    opened.page.route("**/site.js", lambda route: route.fulfill(body="document.body.append('with scripts')"))
    opened.open("talk")
    opened.page.unroute("**/site.js")
    with pytest.raises(AssertionError):
        scripts.page_has_the_same_content_without_scripts(opened)


def test_complaints_probe_fails_for_an_error_on_second_load_only(open_visit: OpenVisit) -> None:
    opened = open_visit("talk")
    opened.page.route("**/site.js", lambda route: route.fulfill(body="throw new Error('loaded again')"))
    browser_errors.page_reloads(opened)
    opened.page.unroute("**/site.js")
    with pytest.raises(AssertionError, match="loaded again"):
        browser_errors.browser_reports_no_errors(opened)


def test_sizes_probes_name_wide_elements_and_small_controls(open_visit: OpenVisit) -> None:
    opened = open_visit("talk", width=NARROW_WINDOW)
    opened.evaluate("() => { document.querySelector('h1').style.width = '400px'; }")
    opened.evaluate("() => { document.querySelector('.button').style.minHeight = '1rem'; }")
    assert any("h1" in found for found in sizes.find_overflowing_elements(opened))
    assert len(sizes.find_small_controls(opened)) == 1


@pytest.mark.parametrize("rule", AXE_VIOLATIONS)
def test_axe_detects_a_violation(open_visit: OpenVisit, rule: str) -> None:
    opened = open_visit("talk")
    opened.evaluate(f"() => {{ {AXE_VIOLATIONS[rule]} }}")
    assert any(found.startswith(rule) for found in accessibility.find_violations(opened))


@pytest.mark.parametrize("kind", BROWSER_COMPLAINTS)
def test_browser_complaint_is_recorded(open_visit: OpenVisit, kind: str) -> None:
    said, script = BROWSER_COMPLAINTS[kind]
    opened = open_visit("talk")
    opened.evaluate(f"async () => {{ {script} }}")
    while not any(said in complaint for complaint in opened.browser_errors):
        opened.page.wait_for_timeout(10)
    opened.wait_until_idle()
    opened.browser_errors.clear()
