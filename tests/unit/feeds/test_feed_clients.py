"""Feed clients are identified by their User-Agent headers, and every kind has a description."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventcal.feeds.clients import CLIENTS, ClientKind, detect_client_kind

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)

USER_AGENTS = {
    "Google-Calendar-Importer": ClientKind.GOOGLE,
    "Mozilla/5.0 (compatible; Google-Calendar-Importer)": ClientKind.GOOGLE,
    "iOS/26.6 (23G71) dataaccessd/1.0": ClientKind.APPLE,
    "iOS/6.1.3 (10B329) dataaccessd/1.0": ClientKind.APPLE,
    "macOS/13.4 (22F66) dataaccessd/1.0": ClientKind.APPLE,
    "Mac+OS+X/10.12.2 (16C67) CalendarAgent/384": ClientKind.APPLE,
    "Microsoft Exchange/15.20 (Windows NT 10.0; Win64; x64)": ClientKind.MICROSOFT365,
    "Microsoft Exchange (Windows NT 10.0)": ClientKind.MICROSOFT365,
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.16327; Pro)": ClientKind.OUTLOOK,
    "Microsoft Office/15.0 (Windows NT 6.3; Microsoft Outlook 15.0.4771; Pro)": ClientKind.OUTLOOK,
    "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.0": ClientKind.THUNDERBIRD,
    "ICSx5/2.4.3 (ical4j/3.2.19 okhttp/5.3.2 Android/16)": ClientKind.ICSX5,
    "Nextcloud Webcal Service": ClientKind.NEXTCLOUD,
    "Nextcloud Webcal Crawler": ClientKind.NEXTCLOUD,
    "HomeAssistant/2025.4.0 httpx/0.28.1 Python/3.13": ClientKind.HOME_ASSISTANT,
    "Evolution/3.60.2": ClientKind.EVOLUTION,
    "vdirsyncer": ClientKind.VDIRSYNCER,
    "vdirsyncer/0.19.2": ClientKind.VDIRSYNCER,
    "WordPress/7.1 ICS Calendar/12.1.3.1": ClientKind.WORDPRESS,
    "Zap Calendar": ClientKind.CALENDAR,
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": ClientKind.ROBOT,
    "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)": ClientKind.ROBOT,
    "kube-probe/1.29": ClientKind.MONITOR,
    "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)": ClientKind.MONITOR,
    "curl/8.6.0": ClientKind.SCRIPT,
    "Wget/1.21": ClientKind.SCRIPT,
    "python-requests/2.31.0": ClientKind.SCRIPT,
    "Go-http-client/2.0": ClientKind.SCRIPT,
    "Java/17.0.2": ClientKind.SCRIPT,
    "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0": ClientKind.BROWSER,
    CHROME: ClientKind.BROWSER,
    f"{CHROME} Edg/120.0": ClientKind.BROWSER,
    "something new": ClientKind.OTHER,
    "": ClientKind.OTHER,
}


@pytest.mark.parametrize(("user_agent", "kind"), USER_AGENTS.items())
def test_client_kind_is_determined_by_user_agent(user_agent: str, kind: ClientKind) -> None:
    assert (detect_client_kind(user_agent), detect_client_kind(user_agent.upper())) == (kind, kind)


@given(st.text(st.characters()) | st.text("Mozilla/ bot\x00\ud800\n", max_size=400))
def test_any_user_agent_has_a_kind(user_agent: str) -> None:
    assert detect_client_kind(user_agent) in ClientKind


def test_every_kind_is_described_in_full_sentences() -> None:
    assert list(CLIENTS) == list(ClientKind)
    sentences = [text for facts in CLIENTS.values() for text in (facts.expect, facts.refresh_now)]
    assert [text for text in sentences if not (text[0].isupper() and text.endswith("."))] == []
    assert len({facts.name for facts in CLIENTS.values()}) == len(CLIENTS)


def test_every_kind_fits_its_database_column() -> None:
    assert max(map(len, ClientKind)) <= 20
