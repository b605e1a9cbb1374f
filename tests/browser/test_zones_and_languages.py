"""Tests with visitors in other time zones and with other languages."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenVisit
from tests.browser.probes.zones import TOKYO_TIMEZONE, ZONE_LINK_TEXT
from tests.browser.site import Site


def get_crowded_talk(site: Site) -> dict[str, str]:
    talk: dict[str, str] = site.get_api(f"/talks/{site.ids_by_name['crowded_talk']}")
    return talk


def test_link_shows_the_times_of_a_talk_in_the_visitors_zone(open_visit: OpenVisit, site: Site) -> None:
    opened = open_visit("crowded-talk")
    opened.page.get_by_role("link", name=ZONE_LINK_TEXT).click()
    starts = datetime.fromisoformat(get_crowded_talk(site)["starts_at"]).astimezone(ZoneInfo(TOKYO_TIMEZONE))
    time = opened.page.locator("dd time").first
    expect(time).to_have_attribute("datetime", starts.isoformat())
    expect(time).to_contain_text(f"{starts:%H:%M}")
    expect(time).to_contain_text(f"{starts:%a}")
    assert opened.read_content().zones == [TOKYO_TIMEZONE]
    expect(opened.page.get_by_role("link", name=ZONE_LINK_TEXT)).to_have_count(0)


def test_visitor_in_the_time_zone_of_the_page_gets_no_link(open_visit: OpenVisit) -> None:
    opened = open_visit("crowded-talk", timezone_id=open_visit("crowded-talk").content.zones[0])
    expect(opened.page.get_by_role("link", name=ZONE_LINK_TEXT)).to_have_count(0)


@pytest.mark.parametrize("name", ["talk", "month"])
def test_reader_of_english_can_switch_to_german(open_visit: OpenVisit, name: str) -> None:
    opened = open_visit(name)
    opened.page.get_by_role("contentinfo").get_by_role("link", name="Deutsch").click()
    expect(opened.page.locator("html")).to_have_attribute("lang", "de")
    expect(opened.page.get_by_role("contentinfo").locator("[aria-current]")).to_have_text("Deutsch")
    opened.page.wait_for_load_state()
    opened.page.get_by_role("banner").get_by_role("link").first.click()
    opened.page.wait_for_load_state()
    expect(opened.page.locator("html")).to_have_attribute("lang", "de")
