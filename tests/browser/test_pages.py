"""Every page in a browser: one visit in English, one in German, each with all probes that apply to the page.

A new page is one line in paths.py, a new probe is one line here. A probe is a function that takes the visit; it begins
with `Visit.reset`, so that it does not depend on earlier probes. Those that navigate to another page come last, because
the probe after them must load the page again.
"""

from collections.abc import Callable, Container, Sequence

import pytest

from tests.browser.conftest import GERMAN, Visitor
from tests.browser.paths import ALL, OWN, PAGES, every_document
from tests.browser.probes import accessibility, complaints, keyboard, language, printing, scripts, sizes, zones
from tests.browser.visit import NARROW, Visit

Probe = Callable[[Visit], None]
# Each probe with the pages that it applies to.
Probes = Sequence[tuple[Probe, Container[str]]]

IN_ENGLISH: Probes = (
    # First, so that the others run on a page whose cached resources have been revalidated.
    (complaints.page_loads_again, ALL),
    (printing.print_shows_the_content_alone, PAGES),
    (sizes.page_fits_narrow_windows, ALL),
    (sizes.controls_are_large_enough, ALL),
    (sizes.page_fits_with_large_letters_and_roomy_text, ALL),
    (accessibility.page_has_no_accessibility_violations, ALL),
    (keyboard.visual_order_is_document_order, PAGES | OWN),
    (keyboard.tab_order_is_complete_and_visible, PAGES | OWN),
    (keyboard.skip_link_comes_first_and_skips_the_header, PAGES),
    # These leave the page.
    (keyboard.enter_follows_a_link, PAGES),
    (zones.times_are_available_in_the_visitors_zone, PAGES),
    (scripts.page_says_the_same_without_scripts, ALL),
    # Last, because it checks the complaints caused by the others.
    (complaints.browser_does_not_complain, ALL),
)
IN_GERMAN: Probes = (
    (language.page_is_in_german, PAGES | OWN),
    (sizes.page_fits_narrow_windows, ALL),
    (complaints.browser_does_not_complain, ALL),
)


@every_document
def test_page_in_english_passes_all_probes(visit: Visitor, subtests: pytest.Subtests, name: str) -> None:
    run(IN_ENGLISH, visit(name), subtests, name=name)


@every_document
def test_page_in_german_in_a_narrow_window_passes_all_probes(
    visit: Visitor, subtests: pytest.Subtests, name: str
) -> None:
    run(IN_GERMAN, visit(name, width=NARROW, locale=GERMAN), subtests, name=name)


def run(probes: Probes, visit: Visit, subtests: pytest.Subtests, *, name: str) -> None:
    """Run the probes that apply to a page, each as a subtest: a failure does not prevent the others from running."""
    for probe, pages in probes:
        if name in pages:
            with subtests.test(probe.__name__.replace("_", " ")):
                probe(visit)


def test_browser_finds_an_icon(visit: Visitor) -> None:
    opened = visit("talk")
    icon = opened.ask("() => document.querySelector('link[rel~=icon]')?.href ?? new URL('/favicon.ico', location).href")
    assert opened.page.request.get(icon).ok, icon
