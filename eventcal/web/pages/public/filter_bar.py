"""What stands above a listing: the form with what was typed, what is chosen already, and what else could be."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from eventcal.events.words import EventKind, TalkKind
from eventcal.kit.refusals import Fault
from eventcal.web.i18n.messages import in_words
from eventcal.web.params.listing_query import SEVERAL, Pairs, Show, Typed, View, Wanted
from eventcal.web.rendering.labels import kind_in_words, value_in_words, word_for
from eventcal.web.rendering.page import FeedLink
from eventcal.web.request.context import links, settings

# How many tags of what is shown are offered.
_MOST_TAGS = 12
_IN_THE_FORM = frozenset({"q", "from", "to", "kind", "country", "city", "tag", "series", "cfp"})


@dataclass(frozen=True, kw_only=True)
class Input:
    """A field of the form: what it is called, what was typed there, and what is wrong with it."""

    id: str
    name: str
    label: str
    value: str
    type: str = "text"
    hint: str = ""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A box to tick."""

    id: str
    name: str
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """A fault for the summary: what it is about, what is wrong, and the id of its field, if it has one."""

    label: str
    detail: str
    field: str | None


@dataclass(frozen=True, kw_only=True)
class Form:
    """The form. `hidden` goes along without a field; `opened`: whether more than the words to look for is used."""

    search: Input
    inputs: tuple[Input, ...]
    kinds: tuple[Choice, ...]
    kind_faults: tuple[str, ...]
    call_open: Choice
    hidden: Pairs
    wrong: tuple[Wrong, ...]
    opened: bool


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link of this page to a listing next to it; `current` where that is this one."""

    url: str
    label: str
    current: bool = False


@dataclass(frozen=True, kw_only=True)
class Bar:
    """Everything above a listing. `clear` leads to the same without filters."""

    form: Form
    views: tuple[Link, ...]
    shows: tuple[Link, ...]
    chips: tuple[Link, ...]
    clear: str
    offers: tuple[tuple[str, tuple[Link, ...]], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the things shown are like, each word as often as there are things of it."""

    tags: Sequence[str] = ()
    kinds: Sequence[str] = ()
    countries: Sequence[str] = ()


def bar_of(typed: Typed, seen: Seen, faults: Iterable[Fault] = ()) -> Bar:
    """Return what stands above the listing that was asked for, with what is wrong with it."""
    return Bar(
        form=_form(typed, tuple(faults)),
        views=_views(typed),
        shows=tuple(
            Link(url=typed.showing(show).url, label=label, current=show == shown_by(typed))
            for show, label in ((Show.EVENTS, _("Events")), (Show.TALKS, _("Talks")))
        ),
        chips=tuple(
            Link(
                url=typed.lacking((name, value)).url,
                label=_("%(name)s: %(value)s", name=word_for(name), value=value_in_words(name, value)),
            )
            for name, value in typed.filters
        ),
        clear=typed.lacking(*typed.filters).url,
        offers=_offers(typed, seen),
    )


def feeds_of(wanted: Wanted) -> tuple[FeedLink, ...]:
    """Return the feeds that have what is asked for."""
    name = settings().name
    kinds = (
        ("ics", "text/calendar", _("%(name)s: calendar of what is shown", name=name)),
        ("atom", "application/atom+xml", _("%(name)s: news of what is shown", name=name)),
        ("csv", "text/csv", _("%(name)s: table of what is shown", name=name)),
    )
    calendar = links().calendar_feed().removesuffix(".ics")
    return tuple(
        FeedLink(url=f"{calendar}.{suffix}?{wanted.feed_query}", type=media_type, title=title)
        for suffix, media_type, title in kinds
    )


def shown_by(typed: Typed) -> Show:
    """Return whether events or talks are asked for; events where that cannot be read."""
    return Show.TALKS if typed.first_of("show") == Show.TALKS else Show.EVENTS


def _views(typed: Typed) -> tuple[Link, ...]:
    current = View.MONTH if typed.first_of("view") == View.MONTH else View.LIST
    listed = typed.having(view=None, month=None)
    return (
        Link(url=listed.url, label=_("List"), current=current == View.LIST),
        Link(url=typed.having(view=View.MONTH.value, sort=None).url, label=_("Month"), current=current == View.MONTH),
    )


def _form(typed: Typed, faults: tuple[Fault, ...]) -> Form:
    said: dict[str, list[str]] = {}
    for fault in faults:
        said.setdefault(fault.pointer.removeprefix("?"), []).append(in_words(fault.detail))
    inputs = _inputs(typed, said)
    kinds = tuple(EventKind) if shown_by(typed) == Show.EVENTS else tuple(TalkKind)
    odd = [kind for kind in typed.all_of("kind") if kind not in list(kinds)]
    fields = {"kind": "f-kind", "cfp": "f-cfp", "q": "f-q"} | {one.name: one.id for one in reversed(inputs)}
    return Form(
        search=_input(typed, "q", said, kind="search"),
        inputs=inputs,
        kinds=tuple(
            Choice(
                id=f"f-kind-{kind}",
                name="kind",
                value=kind,
                label=kind_in_words(kind),
                chosen=kind in typed.all_of("kind"),
            )
            for kind in (*kinds, *odd)
        ),
        kind_faults=tuple(said.get("kind", ())),
        call_open=Choice(
            id="f-cfp",
            name="cfp",
            value="open",
            label=_("Takes talks now (open call)"),
            chosen="open" in typed.all_of("cfp"),
        ),
        hidden=tuple((name, value) for name, value in typed.having().pairs if name not in _IN_THE_FORM),
        wrong=tuple(
            Wrong(label=word_for(name), detail=detail, field=fields.get(name))
            for name, details in said.items()
            for detail in details
        ),
        opened=bool({name for name, _value in typed.filters} - {"q"}),
    )


def _inputs(typed: Typed, said: dict[str, list[str]]) -> tuple[Input, ...]:
    hints = {"country": _("Two letters, such as DE."), "tag": _("All of them.")}
    inputs = []
    for name in ("from", "to", "country", "city", "tag", "series"):
        # A browser shows nothing of a date that is none.
        kind = "date" if name in {"from", "to"} and name not in said else "text"
        values = typed.all_of(name) or [""]
        inputs += [
            _input(typed, name, said, kind=kind, hint=hints.get(name, ""), place=place)
            for place in range(len(values) + (name == "tag" and values != [""]))
        ]
    return tuple(inputs)


def _input(
    typed: Typed,
    name: str,
    said: dict[str, list[str]],
    *,
    kind: str,
    hint: str = "",
    place: int = 0,
) -> Input:
    values = typed.all_of(name)
    return Input(
        id=f"f-{name}-{place + 1}" if place else f"f-{name}",
        name=name,
        label=word_for(name),
        value=values[place] if place < len(values) else "",
        type=kind,
        hint=hint,
        faults=tuple(said.get(name, ())),
    )


def _offers(typed: Typed, seen: Seen) -> tuple[tuple[str, tuple[Link, ...]], ...]:
    """Return links that narrow the listing, to what of it is shown."""
    found = (
        ("kind", sorted(set(seen.kinds))),
        ("country", sorted(set(seen.countries))),
        ("tag", [tag for tag, _often in Counter(seen.tags).most_common(_MOST_TAGS)]),
    )
    offers = []
    for name, values in found:
        new = [value for value in values if value not in typed.all_of(name)]
        # Of one kind or in one country, all that is shown stays.
        if new and (name == "tag" or len(values) > 1):
            offers.append((word_for(name), tuple(_offer(typed, name, value) for value in new)))
    return tuple(offers)


def _offer(typed: Typed, name: str, value: str) -> Link:
    more = typed.adding(name, value) if name == "tag" and name in SEVERAL else typed.having(**{name: value})
    return Link(url=more.url, label=value_in_words(name, value))
