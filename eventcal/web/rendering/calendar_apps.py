"""What each calendar program makes of a feed's address: where it takes it, and what to expect of it."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from eventcal.feeds.clients import CLIENTS, ClientFacts, ClientKind

# The programs that have buttons or steps of their own on the page.
_SHOWN = (
    ClientKind.APPLE,
    ClientKind.GOOGLE,
    ClientKind.MICROSOFT365,
    ClientKind.OUTLOOK,
    ClientKind.THUNDERBIRD,
)
# What fetches feeds without anybody's subscribing with it.
_NO_CALENDARS = frozenset(
    {ClientKind.MONITOR, ClientKind.ROBOT, ClientKind.SCRIPT, ClientKind.BROWSER, ClientKind.OTHER}
)


def ways_in(url: str, name: str) -> dict[str, object]:
    """Return what pages/programs.html shows of a feed: its address, and the way of each program to it."""
    return {"url": url, "buttons": _buttons(url, name), "facts": _facts(), "others": _others()}


def _buttons(url: str, name: str) -> dict[str, str]:
    """Return where each program takes the address of a feed, by the program."""
    webcal = f"webcal{url[url.index(':') :]}"
    outlook = f"calendar/0/addfromweb?url={_escaped(url)}&name={_escaped(name)}"
    return {
        "webcal": webcal,
        "google": f"https://calendar.google.com/calendar/render?cid={_escaped(webcal)}",
        "google_form": "https://calendar.google.com/calendar/r/settings/addbyurl",
        "outlook": f"https://outlook.live.com/{outlook}",
        "office": f"https://outlook.office.com/{outlook}",
    }


def _facts() -> Mapping[str, ClientFacts]:
    return {kind.value: CLIENTS[kind] for kind in _SHOWN}


def _others() -> Sequence[ClientFacts]:
    return [facts for kind, facts in CLIENTS.items() if kind not in _NO_CALENDARS.union(_SHOWN)]


def _escaped(text: str) -> str:
    return quote(text, safe="")
