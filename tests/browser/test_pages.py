"""Every page in a browser: one visit in English, one in German, each with all probes that apply to the page.

A new page is one line in paths.py, a new probe is one line here. A probe is a function that takes the visit; it begins
with `Visit.reset`, so that it does not depend on earlier probes. Those that navigate to another page come last, because
the probe after them must load the page again.
"""

from collections.abc import Callable, Container, Sequence

import pytest

from tests.browser.conftest import GERMAN, OpenVisit
from tests.browser.page_list import ALL_PAGES, PUBLIC_PAGES, SIGNED_IN_PAGES, parametrize_pages
from tests.browser.probes import accessibility, browser_errors, keyboard, language, printing, scripts, sizes, zones
from tests.browser.visit import NARROW_WINDOW, Visit

Probe = Callable[[Visit], None]
# Each probe with the pages that it applies to.
Probes = Sequence[tuple[Probe, Container[str]]]

ENGLISH_PROBES: Probes = (
    # First, so that the others run on a page whose cached resources have been revalidated.
    (browser_errors.page_reloads, ALL_PAGES),
    (printing.print_shows_only_the_content, PUBLIC_PAGES),
    (sizes.page_fits_narrow_windows, ALL_PAGES),
    (sizes.controls_are_large_enough, ALL_PAGES),
    (sizes.page_fits_with_large_and_spaced_text, ALL_PAGES),
    (accessibility.page_has_no_accessibility_violations, ALL_PAGES),
    (keyboard.visual_order_is_document_order, PUBLIC_PAGES | SIGNED_IN_PAGES),
    (keyboard.tab_order_is_complete_and_visible, PUBLIC_PAGES | SIGNED_IN_PAGES),
    (keyboard.skip_link_comes_first_and_skips_the_header, PUBLIC_PAGES),
    # These leave the page.
    (keyboard.enter_follows_a_link, PUBLIC_PAGES),
    (zones.times_are_available_in_the_visitors_zone, PUBLIC_PAGES),
    (scripts.page_has_the_same_content_without_scripts, ALL_PAGES),
    # Last, because it checks the complaints caused by the others.
    (browser_errors.browser_reports_no_errors, ALL_PAGES),
)
GERMAN_PROBES: Probes = (
    (language.page_is_in_german, PUBLIC_PAGES | SIGNED_IN_PAGES),
    (sizes.page_fits_narrow_windows, ALL_PAGES),
    (browser_errors.browser_reports_no_errors, ALL_PAGES),
)


@parametrize_pages
def test_page_in_english_passes_all_probes(open_visit: OpenVisit, subtests: pytest.Subtests, name: str) -> None:
    run_probes(ENGLISH_PROBES, open_visit(name), subtests, name)


@parametrize_pages
def test_page_in_german_in_a_narrow_window_passes_all_probes(
    open_visit: OpenVisit, subtests: pytest.Subtests, name: str
) -> None:
    run_probes(GERMAN_PROBES, open_visit(name, width=NARROW_WINDOW, locale=GERMAN), subtests, name)


def run_probes(probes: Probes, visit: Visit, subtests: pytest.Subtests, name: str) -> None:
    """Run the probes that apply to a page, each as a subtest: a failure does not prevent the others from running."""
    for probe, pages in probes:
        if name in pages:
            with subtests.test(probe.__name__.replace("_", " ")):
                probe(visit)


def test_browser_finds_an_icon(open_visit: OpenVisit) -> None:
    opened = open_visit("talk")
    icon = opened.evaluate(
        "() => document.querySelector('link[rel~=icon]')?.href ?? new URL('/favicon.ico', location).href"
    )
    assert opened.page.request.get(icon).ok, icon
