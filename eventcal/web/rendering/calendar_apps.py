"""What each calendar program makes of a feed's address: where it takes it, and what to expect of it."""

from urllib.parse import quote

from eventcal.feeds.clients import CLIENTS, ClientKind

# The programs that have buttons or steps of their own on the page.
_SHOWN = (ClientKind.APPLE, ClientKind.GOOGLE, ClientKind.MICROSOFT365, ClientKind.OUTLOOK, ClientKind.THUNDERBIRD)
# What fetches feeds without anybody's subscribing with it.
_NO_CALENDARS = frozenset(
    {ClientKind.MONITOR, ClientKind.ROBOT, ClientKind.SCRIPT, ClientKind.BROWSER, ClientKind.OTHER}
)


def ways_in(url: str, name: str) -> dict[str, object]:
    """Return what pages/programs.html shows of a feed: its address, and where each program takes it."""
    webcal = f"webcal{url[url.index(':') :]}"
    outlook = f"calendar/0/addfromweb?url={quote(url, safe='')}&name={quote(name, safe='')}"
    return {
        "url": url,
        "buttons": {
            "webcal": webcal,
            "google": f"https://calendar.google.com/calendar/render?cid={quote(webcal, safe='')}",
            "google_form": "https://calendar.google.com/calendar/r/settings/addbyurl",
            "outlook": f"https://outlook.live.com/{outlook}",
            "office": f"https://outlook.office.com/{outlook}",
        },
        "facts": {kind.value: CLIENTS[kind] for kind in _SHOWN},
        "others": [facts for kind, facts in CLIENTS.items() if kind not in _NO_CALENDARS.union(_SHOWN)],
    }
