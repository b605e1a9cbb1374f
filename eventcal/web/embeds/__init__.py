"""Embedding of the listing in other websites as an iframe or a web component, or through oEmbed."""

from eventcal.web.embeds import builder, oembed
from eventcal.web.embeds.listing import embeds

__all__ = ["builder", "embeds", "oembed"]
