"""The HTML that webmasters copy: a frame, or an element and the script that brings it to life."""

from markupsafe import Markup

from eventcal.web.embeds.query import Embed
from eventcal.web.params.fields import Commas
from eventcal.web.params.listing_filters import ListingArgs

# In the attributes of the element, several values of one filter stand with this between them: commas belong to names.
_BETWEEN = "|"
_COMMAS = frozenset(f.data_key or name for name, f in ListingArgs().load_fields.items() if isinstance(f, Commas))


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
        Markup('{}="{}"').format(name, _joined(name, several)) for name, several in values.items()
    )
    html = '<script src="{}/embed.js" async></script>\n<eventcal-listing {}></eventcal-listing>'
    return str(Markup(html).format(base, attributes))  # noqa: S704 - format escapes


def _joined(name: str, values: list[str]) -> str:
    return ("," if name in _COMMAS else _BETWEEN).join(values)
