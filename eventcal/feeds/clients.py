"""The programs that fetch calendars: how one is told from another by its User-Agent, and what it is known to do.

What is said of a program is what its makers, its source code or several people's server logs say; of those that
nobody wrote about, nothing is claimed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from eventcal.kit.refusals import Sentence


class ClientKind(StrEnum):
    """A kind of program that fetches feeds. Longer than twenty characters, the table has no room for it."""

    GOOGLE = "google"
    APPLE = "apple"
    MICROSOFT365 = "microsoft365"
    OUTLOOK = "outlook"
    THUNDERBIRD = "thunderbird"
    ICSX5 = "icsx5"
    DAVX5 = "davx5"
    NEXTCLOUD = "nextcloud"
    HOME_ASSISTANT = "home-assistant"
    EVOLUTION = "evolution"
    KORGANIZER = "korganizer"
    VDIRSYNCER = "vdirsyncer"
    PROTON = "proton"
    FASTMAIL = "fastmail"
    YAHOO = "yahoo"
    WORDPRESS = "wordpress"
    CALENDAR = "calendar"
    MONITOR = "monitor"
    ROBOT = "robot"
    SCRIPT = "script"
    BROWSER = "browser"
    OTHER = "other"


# The first that is found wins: most programs name the libraries and the browsers that they are made of as well.
_PATTERNS = tuple(
    (kind, re.compile(pattern, re.IGNORECASE | re.ASCII))
    for kind, pattern in (
        (ClientKind.GOOGLE, r"google-calendar-importer"),
        (ClientKind.MICROSOFT365, r"microsoft[ .]exchange|\bexchange/"),
        (ClientKind.OUTLOOK, r"outlook|microsoft office|ms-?office"),
        (ClientKind.APPLE, r"dataaccessd|calendaragent|coredav|davkit|\bremindd\b|\bical/\d"),
        (ClientKind.THUNDERBIRD, r"thunderbird|betterbird|lightning/"),
        (ClientKind.ICSX5, r"icsx5|icsdroid"),
        (ClientKind.DAVX5, r"davx5|davdroid"),
        (ClientKind.NEXTCLOUD, r"nextcloud"),
        (ClientKind.HOME_ASSISTANT, r"home ?assistant"),
        (ClientKind.EVOLUTION, r"\bevolution/|gnome-calendar"),
        (ClientKind.KORGANIZER, r"korganizer|akonadi|kontact|\bkio/"),
        (ClientKind.VDIRSYNCER, r"vdirsyncer"),
        (ClientKind.MONITOR, r"uptime|pingdom|statuscake|site24x7|blackbox|kube-probe|health-?check|check_http|zabbix"),
        (ClientKind.ROBOT, r"bot\b|crawl|spider|slurp|externalhit|link ?preview"),
        (ClientKind.PROTON, r"\bproton"),
        (ClientKind.FASTMAIL, r"fastmail"),
        (ClientKind.YAHOO, r"yahoo"),
        (ClientKind.WORDPRESS, r"wordpress"),
        (ClientKind.CALENDAR, r"calend|caldav|webcal|\bical|giggity|fahrplan|confclerk|fantastical|busycal|zimbra"),
        (ClientKind.SCRIPT, r"^curl|^wget|python|aiohttp|httpx|\bruby|\bperl|libwww|\bphp|guzzle|powershell|^eventcal"),
        (ClientKind.SCRIPT, r"^go-http|^java/|httpclient|okhttp|\bnode|axios|undici|httpie|postman|reqwest|^dart/"),
        (ClientKind.BROWSER, r"^mozilla/|^opera/"),
    )
)
# What tells programs apart stands at the beginning; whatever is longer was made up.
_LONGEST_READ = 300


def kind_of(user_agent: str | None) -> ClientKind:
    """Return the kind of program that a User-Agent header names, whatever it holds."""
    return _kind((user_agent or "")[:_LONGEST_READ])


@lru_cache(2048)
def _kind(user_agent: str) -> ClientKind:
    return next((kind for kind, pattern in _PATTERNS if pattern.search(user_agent)), ClientKind.OTHER)


@dataclass(frozen=True, kw_only=True)
class ClientFacts:
    """What is known of a kind of program: how often it looks, and what makes it look at once; sentences for people."""

    name: str
    expect: Sentence
    refresh_now: Sentence


_AGAIN = Sentence("Remove the calendar, and subscribe to it again.")

CLIENTS: Mapping[ClientKind, ClientFacts] = {
    ClientKind.GOOGLE: ClientFacts(
        name="Google Calendar",
        expect=Sentence("Looks every 4 to 24 hours, as it likes, whatever a feed asks for. Nobody can set it."),
        refresh_now=Sentence(
            "Its reload button does not fetch feeds. Remove the calendar, and add it again from its URL with #1 at the "
            "end, so that Google takes it for another one."
        ),
    ),
    ClientKind.APPLE: ClientFacts(
        name="Apple Calendar",
        expect=Sentence(
            "Goes by its own settings: on a Mac by Auto-refresh of the subscription, every 5 minutes to every week; on "
            "an iPhone or iPad by Fetch New Data."
        ),
        refresh_now=Sentence("On a Mac press Command-R. On an iPhone or iPad tap Calendars, and pull the list down."),
    ),
    ClientKind.MICROSOFT365: ClientFacts(
        name=Sentence("Outlook.com, Outlook on the web, Microsoft 365"),
        expect=Sentence(
            "Looks about every 3 hours; Microsoft says that a change can take more than 24. Nobody can set it."
        ),
        refresh_now=_AGAIN,
    ),
    ClientKind.OUTLOOK: ClientFacts(
        name=Sentence("Outlook on a computer"),
        expect=Sentence(
            "Looks when it sends and receives, but no more often than the feed recommends (X-PUBLISHED-TTL), as long "
            "as Update Limit is ticked for the subscription."
        ),
        refresh_now=Sentence(
            "Untick Update Limit under Account Settings, Internet Calendars; then choose Send/Receive All Folders."
        ),
    ),
    ClientKind.THUNDERBIRD: ClientFacts(
        name="Thunderbird",
        expect=Sentence("Looks when it starts and every 30 minutes, unless the calendar's properties say otherwise."),
        refresh_now=Sentence("Press Synchronize in the calendar."),
    ),
    ClientKind.ICSX5: ClientFacts(
        name="ICSx5",
        expect=Sentence("Goes by its own sync interval: once a day unless it was changed."),
        refresh_now=Sentence("Pull the list of subscriptions down."),
    ),
    ClientKind.DAVX5: ClientFacts(
        name="DAVx5",
        expect=Sentence("Leaves subscriptions to ICSx5, and goes by its settings."),
        refresh_now=Sentence("Open ICSx5, and pull the list of subscriptions down."),
    ),
    ClientKind.NEXTCLOUD: ClientFacts(
        name="Nextcloud",
        expect=Sentence(
            "Goes by the feed's REFRESH-INTERVAL unless the subscription was given a rate of its own. Its background "
            "jobs look at each subscription once an hour at most."
        ),
        refresh_now=_AGAIN,
    ),
    ClientKind.HOME_ASSISTANT: ClientFacts(
        name="Home Assistant",
        expect=Sentence("Looks once a day, and when it starts."),
        refresh_now=Sentence("Reload the Remote Calendar integration."),
    ),
    ClientKind.EVOLUTION: ClientFacts(
        name="Evolution, GNOME Calendar",
        expect=Sentence("Goes by the refresh interval of each calendar, in minutes."),
        refresh_now=Sentence("Choose Refresh in the calendar's menu."),
    ),
    ClientKind.KORGANIZER: ClientFacts(
        name="KOrganizer, Kontact",
        expect=Sentence("Goes by its own settings."),
        refresh_now=Sentence("Let it update the calendar from the calendar's menu."),
    ),
    ClientKind.VDIRSYNCER: ClientFacts(
        name="vdirsyncer",
        expect=Sentence("Looks whenever somebody, or a timer, runs it."),
        refresh_now=Sentence("Run vdirsyncer sync."),
    ),
    ClientKind.PROTON: ClientFacts(
        name="Proton Calendar",
        expect=Sentence("Is reported to look every 4 to 16 hours. Nobody can set it."),
        refresh_now=_AGAIN,
    ),
    ClientKind.FASTMAIL: ClientFacts(
        name="Fastmail",
        expect=Sentence("Is reported to look every hour."),
        refresh_now=_AGAIN,
    ),
    ClientKind.YAHOO: ClientFacts(
        name="Yahoo Calendar",
        expect=Sentence("How often it looks is not known."),
        refresh_now=_AGAIN,
    ),
    ClientKind.WORDPRESS: ClientFacts(
        name="WordPress",
        expect=Sentence("Goes by the settings of the plugin that shows the calendar."),
        refresh_now=Sentence("Clear the plugin's cache."),
    ),
    ClientKind.CALENDAR: ClientFacts(
        name=Sentence("Another calendar program"),
        expect=Sentence("Goes by its own settings."),
        refresh_now=Sentence(
            "Look for Refresh or Synchronize in it; else remove the calendar, and subscribe to it again."
        ),
    ),
    ClientKind.MONITOR: ClientFacts(
        name=Sentence("A monitor"),
        expect=Sentence("Only looks whether the calendar can be reached."),
        refresh_now=Sentence("There is nothing to refresh."),
    ),
    ClientKind.ROBOT: ClientFacts(
        name=Sentence("A robot"),
        expect=Sentence("Reads for a search engine or a preview; it subscribes to nothing."),
        refresh_now=Sentence("There is nothing to refresh."),
    ),
    ClientKind.SCRIPT: ClientFacts(
        name=Sentence("A script"),
        expect=Sentence("Looks whenever somebody, or a timer, runs it."),
        refresh_now=Sentence("Run it."),
    ),
    ClientKind.BROWSER: ClientFacts(
        name=Sentence("A browser"),
        expect=Sentence("Was used to look at the feed; a browser does not subscribe."),
        refresh_now=Sentence("Reload the page."),
    ),
    ClientKind.OTHER: ClientFacts(
        name=Sentence("Another program"),
        expect=Sentence("Does not say what it is, or is not known here."),
        refresh_now=Sentence(
            "Look for Refresh or Synchronize in it; else remove the calendar, and subscribe to it again."
        ),
    ),
}
"""Every kind, in the order in which people should read of them."""
