"""The probes detect errors on pages that are modified to fail them."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import Visitor
from tests.browser.probes import accessibility, complaints, keyboard, language, printing, scripts, sizes, zones
from tests.browser.visit import NARROW, Visit

Probe = Callable[[Visit], None]

VIOLATIONS = {
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
COMPLAINTS = {
    "an error": ("error: broken", "console.error('broken')"),
    "a warning": ("warning: odd", "console.warn('odd')"),
    "an exception": ("raised late", "setTimeout(() => { throw new Error('late') })"),
    "a request elsewhere": ("requested http://127.0.0.2", "setTimeout(() => location.assign('http://127.0.0.2:9/'))"),
    "no answer": ("did not get http://127.0.0.2", "setTimeout(() => location.assign('http://127.0.0.2:9/'))"),
    "a refusal": ("got 404", "new Image().src = '/static/none.png'"),
    "a script's request": ("Content Security Policy", "await fetch('http://127.0.0.2:9/').catch(() => 0)"),
    "a style": ("Content Security Policy", "document.body.setAttribute('style', 'color: red')"),
}
# For each probe, a script that makes the page of a talk fail it.
FAULTS: list[tuple[Probe, str]] = [
    (printing.print_shows_the_content_alone, "document.querySelector('header.site').style.display = 'block'"),
    (sizes.page_fits_narrow_windows, "document.querySelector('h1').style.minWidth = '400px'"),
    (sizes.controls_are_large_enough, "document.querySelector('.button').style.minHeight = '1rem'"),
    (sizes.page_fits_with_large_letters_and_roomy_text, "document.querySelector('h1').style.minWidth = '23rem'"),
    (accessibility.page_has_no_accessibility_violations, "document.documentElement.removeAttribute('lang')"),
    (keyboard.visual_order_is_document_order, "document.querySelector('main').style.order = '1'"),
    (keyboard.tab_order_is_complete_and_visible, "document.querySelector('main a').style.outline = 'none'"),
    (keyboard.tab_order_is_complete_and_visible, "document.querySelector('main a').tabIndex = 1"),
    (keyboard.skip_link_comes_first_and_skips_the_header, "document.querySelector('.skip').remove()"),
    (keyboard.enter_follows_a_link, "for (const one of document.querySelectorAll('main a')) one.tabIndex = -1"),
    (complaints.browser_does_not_complain, "console.error('broken')"),
]


@pytest.mark.parametrize(("probe", "fault"), FAULTS, ids=[f"{probe.__name__}-{fault}" for probe, fault in FAULTS])
def test_probe_fails_on_a_modified_page(visit: Visitor, probe: Probe, fault: str) -> None:
    opened = visit("talk")
    opened.ask(f"() => {{ {fault} }}")
    with pytest.raises(AssertionError):
        probe(opened)


def test_zones_probe_fails_without_a_link_to_the_visitors_zone(visit: Visitor) -> None:
    opened = visit("crowded-talk")
    opened.ask("() => document.querySelector('.zone a').remove()")
    with pytest.raises(AssertionError):
        zones.times_are_available_in_the_visitors_zone(opened)


def test_language_probe_fails_for_an_english_page(visit: Visitor) -> None:
    with pytest.raises(AssertionError):
        language.page_is_in_german(visit("talk"))


def test_scripts_probe_fails_for_content_added_by_a_script(visit: Visitor) -> None:
    opened = visit("talk")
    opened.page.route("**/site.js", lambda route: route.fulfill(body="document.body.append('with scripts')"))
    opened.open("talk")
    opened.page.unroute("**/site.js")
    with pytest.raises(AssertionError):
        scripts.page_says_the_same_without_scripts(opened)


def test_complaints_probe_fails_for_an_error_on_second_load_only(visit: Visitor) -> None:
    opened = visit("talk")
    opened.page.route("**/site.js", lambda route: route.fulfill(body="throw new Error('loaded again')"))
    complaints.page_loads_again(opened)
    opened.page.unroute("**/site.js")
    with pytest.raises(AssertionError, match="loaded again"):
        complaints.browser_does_not_complain(opened)


def test_sizes_probes_name_wide_elements_and_small_controls(visit: Visitor) -> None:
    opened = visit("talk", width=NARROW)
    opened.ask("() => { document.querySelector('h1').style.width = '400px'; }")
    opened.ask("() => { document.querySelector('.button').style.minHeight = '1rem'; }")
    assert any("h1" in found for found in sizes.sticking_out(opened))
    assert len(sizes.small_controls(opened)) == 1


@pytest.mark.parametrize("rule", VIOLATIONS)
def test_axe_detects_a_violation(visit: Visitor, rule: str) -> None:
    opened = visit("talk")
    opened.ask(f"() => {{ {VIOLATIONS[rule]} }}")
    assert any(found.startswith(rule) for found in accessibility.violations(opened))


@pytest.mark.parametrize("kind", COMPLAINTS)
def test_browser_complaint_is_recorded(visit: Visitor, kind: str) -> None:
    said, script = COMPLAINTS[kind]
    opened = visit("talk")
    opened.ask(f"async () => {{ {script} }}")
    while not any(said in complaint for complaint in opened.complaints):
        opened.page.wait_for_timeout(10)
    opened.settle()
    opened.complaints.clear()
