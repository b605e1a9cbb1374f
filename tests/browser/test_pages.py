"""Tests of every page in a browser: a visit in English and a visit in German, each with all applicable probes.

Pages are added in page_list.py, and probes in this module. A probe is a function with the visit as parameter. Probes
begin with `Visit.reset`, so that they are independent of earlier probes. Probes that navigate to another page run last,
because the next probe has to load the page again.
"""

from collections.abc import Callable, Container, Sequence

import pytest

from tests.browser.conftest import GERMAN, OpenVisit
from tests.browser.page_list import ALL_PAGES, PUBLIC_PAGES, SIGNED_IN_PAGES, parametrize_pages
from tests.browser.probes import accessibility, browser_errors, keyboard, language, printing, scripts, sizes, zones
from tests.browser.visit import NARROW_WINDOW, Visit

Probe = Callable[[Visit], None]
# Each probe with the names of the pages to which the probe applies.
Probes = Sequence[tuple[Probe, Container[str]]]

ENGLISH_PROBES: Probes = (
    # Reloading comes first, so that all other probes see a page with revalidated resources.
    (browser_errors.page_reloads, ALL_PAGES),
    (printing.print_shows_only_the_content, PUBLIC_PAGES),
    (sizes.page_fits_narrow_windows, ALL_PAGES),
    (sizes.controls_are_large_enough, ALL_PAGES),
    (sizes.page_fits_with_large_and_spaced_text, ALL_PAGES),
    (accessibility.page_has_no_accessibility_violations, ALL_PAGES),
    (keyboard.visual_order_is_document_order, PUBLIC_PAGES | SIGNED_IN_PAGES),
    (keyboard.tab_order_is_complete_and_visible, PUBLIC_PAGES | SIGNED_IN_PAGES),
    (keyboard.skip_link_comes_first_and_skips_the_header, PUBLIC_PAGES),
    # The following probes navigate to another page.
    (keyboard.enter_follows_a_link, PUBLIC_PAGES),
    (zones.times_are_available_in_the_visitors_zone, PUBLIC_PAGES),
    (scripts.page_has_the_same_content_without_scripts, ALL_PAGES),
    # Browser errors are checked last, because other probes may cause them.
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
    """Run each probe that applies to a page as a subtest, so that a failure does not prevent the next probes."""
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
