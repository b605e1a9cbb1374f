"""Everything for webmasters: each module puts itself on the blueprint."""

from eventcal.web.embeds import builder, oembed
from eventcal.web.embeds.listing import embeds

__all__ = ["builder", "embeds", "oembed"]
