"""An embed: what it is asked for, by its query and back; and the HTML that shows it, for webmasters to copy."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import cast
from urllib.parse import parse_qsl

from flask import url_for
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from eventcal.web.http.urls import encode_query, with_query
from eventcal.web.params.fields import Word, chosen_language, filled_in, text
from eventcal.web.params.listing_filters import Listing, ListingArgs, canonical_query
from eventcal.web.params.listing_query import COMMAS, Pairs, Show, read_shown

TODAY = "today"
"""What `from` may be in an embed, beside a date: one that is pasted once stays up to date."""

# In the attributes of the element, several values of one filter stand with this between them: commas belong to names.
_BETWEEN = "|"


class Theme(StrEnum):
    """Whether an embed is dark on light, light on dark, or as the visitor's system has it."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, kw_only=True)
class Embed(Listing):
    """What an embed is asked for.

    upcoming: from today on, whatever day that will be. talk: only this one.
    lang: the language of its words, "" for the visitor's.
    """

    show: Show = Show.EVENTS
    theme: Theme = Theme.AUTO
    talk: str | None = None
    upcoming: bool = False
    lang: str = ""

    @property
    def filters(self) -> Pairs:
        """Give the parameters that say which events or talks are meant, and how many."""
        pairs = parse_qsl(canonical_query(self))
        return tuple([("from", TODAY), *pairs] if self.upcoming else pairs)

    @property
    def pairs(self) -> Pairs:
        """Give all parameters but those that change nothing."""
        own = (("lang", self.lang), ("show", self.show.value), ("talk", self.talk or ""), ("theme", self.theme.value))
        return (*self.filters, *((name, value) for name, value in own if value not in {"", Show.EVENTS, Theme.AUTO}))

    @property
    def path(self) -> str:
        """Give the address of the frame, relative to the site."""
        return with_query(url_for("embeds.listing"), encode_query(self.pairs))

    @property
    def page(self) -> str:
        """Give the address of the page with the same, relative to the site: it begins with today by itself."""
        shown = [("show", self.show.value)] if self.show == Show.TALKS else []
        return with_query(url_for("pages.listing"), encode_query((*self._lasting("limit"), *shown)))

    @property
    def subscribe(self) -> str:
        """Give the address where the same can be subscribed to, relative to the site."""
        pairs = (*self._lasting("limit", "sort"), ("show", self.show.value))
        return with_query(url_for("pages.subscribe"), encode_query(pairs))

    def _lasting(self, *apart: str) -> Pairs:
        return tuple(pair for pair in self.filters if pair[0] not in apart and pair != ("from", TODAY))


class _EmbedArgs(ListingArgs):
    """The parameters of an embed, its language apart."""

    result = Embed

    show = Word(Show)
    talk = text()
    theme = Word(Theme)


# An embed has one page.
_EMBED = _EmbedArgs(exclude=["cursor"])


def read_embed(args: MultiDict[str, str]) -> Embed:
    """Return what a query asks for, without what nobody knows there. Raises Invalid with every fault."""
    known = filled_in(_EMBED, args)
    upcoming = known.getlist("from") == [TODAY]
    if upcoming:
        del known["from"]
    return replace(cast("Embed", read_shown(_EMBED, known)), upcoming=upcoming, lang=chosen_language(args))


def iframe(url: str, *, title: str, width: str, height: str) -> str:
    """Return a frame that shows what is at `url`."""
    html = '<iframe src="{}" title="{}" width="{}" height="{}" loading="lazy" style="border:0"></iframe>'
    return str(Markup(html).format(url, title, width, height))  # noqa: S704 - format escapes


def element(embed: Embed, base: str) -> str:
    """Return the script, and the element for an embed of the calendar at `base`."""
    values: dict[str, list[str]] = {"src": [base]}
    for name, value in embed.pairs:
        values.setdefault(name, []).append(value)
    attributes = Markup(" ").join(
        Markup('{}="{}"').format(name, ("," if name in COMMAS else _BETWEEN).join(several))
        for name, several in values.items()
    )
    html = '<script src="{}/embed.js" async></script>\n<eventcal-listing {}></eventcal-listing>'
    return str(Markup(html).format(base, attributes))  # noqa: S704 - format escapes
