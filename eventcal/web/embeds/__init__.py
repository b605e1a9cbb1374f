"""Embedding of the listing in other sites, as an iframe, as a web component or through oEmbed."""

from eventcal.web.embeds import builder, oembed
from eventcal.web.embeds.listing import embeds

__all__ = ["builder", "embeds", "oembed"]
