"""The embed builder, a page that generates the HTML for embedding the listing, and the script used by that HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from flask import Response, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from eventcal.events.words import EventKind, TalkKind
from eventcal.kit.catalogue import LANGUAGES
from eventcal.kit.refusals import FieldError, Invalid
from eventcal.web.embeds.listing import TODAY, Embed, Theme, element, embeds, iframe, read_embed
from eventcal.web.http.conditional import etag_of, serve
from eventcal.web.http.representation import Representation
from eventcal.web.i18n import faults_in_words
from eventcal.web.identity.permissions import anonymous
from eventcal.web.params.fields import chosen_language
from eventcal.web.params.listing_filters import known_args
from eventcal.web.params.listing_query import Show
from eventcal.web.rendering.labels import kind_in_words, word_for
from eventcal.web.rendering.page import CONTENT_SECURITY_POLICY, Page, render_page
from eventcal.web.rendering.private_page import answer_invalid
from eventcal.web.request.context import links, now, settings

_SCRIPT = Path(__file__).parents[1] / "static" / "embed.js"

# The parameter for the language of the embed; `lang` is the language of the builder page.
_WORDS = "words"
_FIELDS = ("show", "kind", "q", "tag", "country", "city", "event", "limit", _WORDS, "theme")
_HEIGHT = "480"
_PROPERTIES = tuple(f"--eventcal-{name}" for name in ("ink", "quiet", "paper", "line", "accent", "font", "radius"))
# Default values of fields that the query does not contain.
_FIRST = (("from", TODAY), ("limit", "10"))


@embeds.get("/embed")
@anonymous
def builder() -> Response:
    """Show the builder form and the HTML for the selected options."""
    args = MultiDict(request.args if "show" in request.args else [*request.args.items(multi=True), *_missing()])
    try:
        asked = replace(read_embed(args), lang=chosen_language(args, _WORDS))
    except Invalid as refusal:
        return answer_invalid(_page(args, None, refusal.errors))
    page = _page(args, asked)
    return render_page(lambda _session, _moment: page)


@embeds.get("/embed.js")
@anonymous
def script() -> Response:
    """Serve the script that defines the web component of the listing, for pages of any origin."""
    answer = serve(_script(), now())
    answer.headers["X-Content-Type-Options"] = "nosniff"
    # Pages with Cross-Origin-Embedder-Policy may only load it with this header.
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@cache
def _script() -> Representation:
    body = _SCRIPT.read_bytes()
    return Representation(
        body=body,
        media_type="text/javascript; charset=utf-8",
        etag=etag_of(body),
        last_modified=None,
        cache_control="public, max-age=3600",
    )


def _missing() -> list[tuple[str, str]]:
    days = {"from", "to"} & set(request.args)
    return [pair for pair in _FIRST if pair[0] not in request.args and not (pair[0] == "from" and days)]


def _page(args: MultiDict[str, str], asked: Embed | None, faults: Sequence[FieldError] = ()) -> Page:
    found = MultiDict(faults_in_words(faults))
    labels, options, snippets = _labels(), _options(), None
    if asked is not None:
        frame = iframe(f"{links().base}{asked.path}", title=settings().name, width="100%", height=_HEIGHT)
        snippets = {"frame": frame, "element": element(asked, links().base)}
    return Page(
        template="embeds/builder.html",
        title=_("Put this calendar on your site"),
        # The preview is an iframe of this site.
        policy=f"{CONTENT_SECURITY_POLICY}; frame-src 'self'",
        description=_("HTML to copy: the listing, filtered as you like, in a frame or as an element of your page."),
        values={
            "fields": [
                {
                    "name": name,
                    "label": labels.get(name) or word_for(name),
                    "value": args.get(name, ""),
                    "faults": found.getlist(name),
                    "options": options.get(name),
                }
                for name in _FIELDS
            ],
            "hidden": _hidden(args),
            "upcoming": TODAY in args.getlist("from"),
            "elsewhere": [(word_for(name), detail) for name, detail in found.items(multi=True) if name not in _FIELDS],
            "preview": asked.path if asked else None,
            "properties": _PROPERTIES,
            "snippets": snippets,
        },
    )


def _labels() -> Mapping[str, str]:
    """Return labels for fields that lack a common label or need another one on this page."""
    return {
        "event": _("Event (the last part of its address)"),
        "limit": _("How many at most"),
        _WORDS: _("Language of the words"),
        "theme": _("Colours"),
    }


def _options() -> Mapping[str, Sequence[tuple[str, str]]]:
    kinds = dict.fromkeys([*EventKind, *TalkKind])
    return {
        "show": [(Show.EVENTS, _("Events")), (Show.TALKS, _("Talks"))],
        "kind": [("", _("Any")), *((kind, kind_in_words(kind)) for kind in kinds)],
        _WORDS: [("", _("As the visitor's browser has it")), *LANGUAGES.items()],
        "theme": [
            (Theme.AUTO, _("As the visitor's system has it")),
            (Theme.LIGHT, _("Light")),
            (Theme.DARK, _("Dark")),
        ],
    }


def _hidden(args: MultiDict[str, str]) -> list[tuple[str, str]]:
    """Return the hidden fields: filters without a field of their own, and further values of those that have one."""
    known = [pair for pair in known_args(args).items(multi=True) if pair[0] != "cursor" and pair != ("from", TODAY)]
    first = {name: args[name] for name in _FIELDS if name in args}
    hidden = []
    for name, value in known:
        if first.get(name) == value:
            del first[name]
        else:
            hidden.append((name, value))
    lang = chosen_language(args)
    return [*hidden, ("lang", lang)] if lang else hidden
