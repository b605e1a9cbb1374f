"""The listing on other people's sites: as a frame, as an element of their pages, and by oEmbed."""

from eventcal.web.embeds import builder, oembed
from eventcal.web.embeds.listing import embeds

__all__ = ["builder", "embeds", "oembed"]
