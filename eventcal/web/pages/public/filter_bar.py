"""What stands above a listing: the form with what was typed, what is chosen already, and what else could be."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from eventcal.events.words import EventKind, TalkKind
from eventcal.kit.refusals import Fault
from eventcal.web.i18n import faults_in_words
from eventcal.web.pages.public.listed_resources import Found
from eventcal.web.params.listing_query import Show, Typed, View, Wanted
from eventcal.web.rendering.labels import kind_in_words, value_in_words, word_for
from eventcal.web.rendering.page import FeedLink
from eventcal.web.request.context import links, settings
from eventcal.web.schemas.out import Json

# How many tags of what is shown are offered.
_MOST_TAGS = 12
_IN_THE_FORM = frozenset({"q", "from", "to", "kind", "country", "city", "tag", "series", "cfp"})


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link of this page to a listing next to it; `current` where that is this one."""

    url: str
    label: str
    current: bool = False


def bar_of(typed: Typed, found: Found, faults: Iterable[Fault] = ()) -> Mapping[str, object]:
    """Return what pages/filters.html shows above the listing that was asked for, with what is wrong with it.

    kinds: each with its name and whether it is chosen. hidden: what goes along without a field. wrong: the faults for
    the summary, each with the name of its parameter and the id of its field. opened: whether more than the words to
    look for is used. cleared: leads to the same without filters.
    """
    said = MultiDict(faults_in_words(faults))
    search, inputs = _input(typed, "q", 0, said), list(_inputs(typed, said))
    ids = {"kind": "f-kind", "cfp": "f-cfp"} | {one["name"]: one["id"] for one in reversed([search, *inputs])}
    shown = Show.TALKS if typed.get("show") == Show.TALKS else Show.EVENTS
    is_month, chosen = typed.get("view") == View.MONTH, typed.getlist("kind")
    kinds: list[str] = list(EventKind if shown == Show.EVENTS else TalkKind)
    kinds += [kind for kind in chosen if kind not in kinds]
    return {
        "search": search,
        "inputs": inputs,
        "kinds": [(kind, kind_in_words(kind), kind in chosen) for kind in kinds],
        "kind_faults": said.getlist("kind"),
        "call_open": "open" in typed.getlist("cfp"),
        "hidden": [(name, value) for name, value in typed.having().pairs if name not in _IN_THE_FORM],
        "wrong": [(word_for(name), detail, ids.get(name)) for name, detail in said.items(multi=True)],
        "opened": any(name != "q" for name, _value in typed.filters),
        "views": [
            Link(url=typed.having(view=None, month=None).url, label=_("List"), current=not is_month),
            Link(url=typed.having(view=View.MONTH.value, sort=None).url, label=_("Month"), current=is_month),
        ],
        "shows": [
            Link(url=typed.showing(show).url, label=label, current=show == shown)
            for show, label in ((Show.EVENTS, _("Events")), (Show.TALKS, _("Talks")))
        ],
        "chips": [
            Link(
                url=typed.lacking((name, value)).url,
                label=_("%(name)s: %(value)s", name=word_for(name), value=value_in_words(name, value)),
            )
            for name, value in typed.filters
        ],
        "cleared": typed.lacking(*typed.filters).url,
        "offers": list(_offers(typed, found)),
    }


def feeds_of(wanted: Wanted) -> tuple[FeedLink, ...]:
    """Return the feeds that have what is asked for."""
    name = settings().name
    kinds = (
        (".ics", "text/calendar", _("%(name)s: calendar of what is shown", name=name)),
        (".atom", "application/atom+xml", _("%(name)s: news of what is shown", name=name)),
        (".csv", "text/csv", _("%(name)s: table of what is shown", name=name)),
    )
    return tuple(
        FeedLink(url=f"{links().calendar_feed(suffix)}?{wanted.feed_query}", type=media_type, title=title)
        for suffix, media_type, title in kinds
    )


def _inputs(typed: Typed, said: MultiDict[str, str]) -> Iterator[Json]:
    for name in ("from", "to", "country", "city", "tag", "series"):
        values = typed.getlist(name)
        # There is always a field for one more tag.
        for place in range(len(values) + 1 if name == "tag" else len(values) or 1):
            yield _input(typed, name, place, said)


def _input(typed: Typed, name: str, place: int, said: MultiDict[str, str]) -> Json:
    """Return a field of the form: what it is called, what was typed there, and what is wrong with it."""
    values = typed.getlist(name)
    # A browser shows nothing of a date that is none.
    kind = "date" if name in {"from", "to"} and name not in said else "text"
    hints = {"country": _("Two letters, such as DE."), "tag": _("All of them.")}
    return {
        "id": f"f-{name}-{place + 1}" if place else f"f-{name}",
        "name": name,
        "label": word_for(name),
        "value": values[place] if place < len(values) else "",
        "type": "search" if name == "q" else kind,
        "hint": hints.get(name, ""),
        "faults": said.getlist(name),
    }


def _offers(typed: Typed, found: Found) -> Iterator[tuple[str, Sequence[Link]]]:
    """Yield links that narrow the listing, to what of it is shown."""
    tags = Counter(tag for item in found.items for tag in item["tags"])
    values = {
        "kind": sorted({item["kind"] for item in found.items if item["kind"]}),
        "country": sorted(set(found.countries)),
        "tag": [tag for tag, _often in tags.most_common(_MOST_TAGS)],
    }
    for name, several in values.items():
        new = [value for value in several if value not in typed.getlist(name)]
        # Of one kind or in one country, all that is shown stays.
        if new and (name == "tag" or len(several) > 1):
            narrowed = [typed.adding(name, one) if name == "tag" else typed.having(**{name: one}) for one in new]
            pairs = zip(narrowed, new, strict=True)
            yield word_for(name), [Link(url=more.url, label=value_in_words(name, one)) for more, one in pairs]
