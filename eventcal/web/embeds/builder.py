"""The page that generates the HTML for embedding the listing, and the script that the HTML loads."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from flask import Response, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from eventcal.events.enums import EventKind, TalkKind
from eventcal.kit.errors import FieldError, Invalid
from eventcal.kit.translations import LANGUAGES
from eventcal.web.embeds.listing import (
    TODAY,
    EmbedQuery,
    Theme,
    embeds,
    parse_embed_query,
    render_iframe,
    web_component_snippet,
)
from eventcal.web.http.conditional import conditional_response, etag_of
from eventcal.web.http.representation import Representation
from eventcal.web.i18n import translate_field_errors
from eventcal.web.identity.permissions import anonymous
from eventcal.web.params.fields import language_arg_or_empty
from eventcal.web.params.listing_filters import known_listing_args
from eventcal.web.params.listing_query import ItemKind
from eventcal.web.rendering.labels import kind_label, parameter_label
from eventcal.web.rendering.page import CONTENT_SECURITY_POLICY, Page, render_page
from eventcal.web.rendering.private_page import invalid_query_response
from eventcal.web.request.context import links, now, settings

# The query parameter for the language of the embed. The `lang` parameter sets the language of the builder page.
_LANGUAGE_PARAM = "words"
_FIELDS = ("show", "kind", "q", "tag", "country", "city", "event", "limit", _LANGUAGE_PARAM, "theme")
_CSS_PROPERTIES = tuple(f"--eventcal-{name}" for name in ("ink", "quiet", "paper", "line", "accent", "font", "radius"))


@embeds.get("/embed")
@anonymous
def builder() -> Response:
    args = MultiDict(request.args)
    # The `show` parameter is present if the form has been submitted.
    if "show" not in args:
        if "to" not in args:
            args.setdefault("from", TODAY)
        args.setdefault("limit", "10")
    try:
        asked = replace(parse_embed_query(args), lang=language_arg_or_empty(args, _LANGUAGE_PARAM))
    except Invalid as error:
        return invalid_query_response(_builder_page(args, None, error.errors))
    return render_page(lambda _session, _now: _builder_page(args, asked))


@embeds.get("/embed.js")
@anonymous
def script() -> Response:
    answer = conditional_response(_script_representation(), now())
    # A page with a Cross-Origin-Embedder-Policy can load the script only if Cross-Origin-Resource-Policy allows it.
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@cache
def _script_representation() -> Representation:
    body = Path(__file__).parents[1].joinpath("static", "embed.js").read_bytes()
    return Representation(
        body=body,
        media_type="text/javascript; charset=utf-8",
        etag=etag_of(body),
        last_modified=None,
        cache_control="public, max-age=3600",
    )


def _builder_page(args: MultiDict[str, str], query: EmbedQuery | None, errors: Sequence[FieldError] = ()) -> Page:
    found = MultiDict(translate_field_errors(errors))
    labels, options, snippets = _field_labels(), _field_options(), None
    if query is not None:
        frame = render_iframe(f"{links().base}{query.iframe_path}", title=settings().name, width="100%", height="480")
        snippets = {"frame": frame, "element": web_component_snippet(query, links().base)}
    return Page(
        template="embeds/builder.html",
        title=_("Put this calendar on your site"),
        # The preview of the embed is an iframe that shows a page of this site.
        content_security_policy=f"{CONTENT_SECURITY_POLICY}; frame-src 'self'",
        description=_("HTML to copy: the listing, filtered as you like, in a frame or as an element of your page."),
        context={
            "fields": [
                {
                    "name": name,
                    "label": labels.get(name) or parameter_label(name),
                    "value": args.get(name, ""),
                    "faults": found.getlist(name),
                    "options": options.get(name),
                }
                for name in _FIELDS
            ],
            "hidden": _hidden_fields(args),
            "upcoming": TODAY in args.getlist("from"),
            "elsewhere": [
                (parameter_label(name), detail) for name, detail in found.items(multi=True) if name not in _FIELDS
            ],
            "preview": query.iframe_path if query else None,
            "properties": _CSS_PROPERTIES,
            "snippets": snippets,
        },
    )


def _field_labels() -> Mapping[str, str]:
    return {
        "event": _("Event (the last part of its address)"),
        "limit": _("How many at most"),
        _LANGUAGE_PARAM: _("Language of the words"),
        "theme": _("Colours"),
    }


def _field_options() -> Mapping[str, Sequence[tuple[str, str]]]:
    kinds = dict.fromkeys([*EventKind, *TalkKind])
    return {
        "show": [(ItemKind.EVENTS, _("Events")), (ItemKind.TALKS, _("Talks"))],
        "kind": [("", _("Any")), *((kind, kind_label(kind)) for kind in kinds)],
        _LANGUAGE_PARAM: [("", _("As the visitor's browser has it")), *LANGUAGES.items()],
        "theme": [
            (Theme.AUTO, _("As the visitor's system has it")),
            (Theme.LIGHT, _("Light")),
            (Theme.DARK, _("Dark")),
        ],
    }


def _hidden_fields(args: MultiDict[str, str]) -> list[tuple[str, str]]:
    """Return hidden form fields for filters that have no visible field, and for additional values of visible fields."""
    known = [arg for arg in known_listing_args(args).items(multi=True) if arg[0] != "cursor" and arg != ("from", TODAY)]
    first = {name: args[name] for name in _FIELDS if name in args}
    hidden = []
    for name, value in known:
        if first.get(name) == value:
            del first[name]
        else:
            hidden.append((name, value))
    lang = language_arg_or_empty(args)
    return [*hidden, ("lang", lang)] if lang else hidden
