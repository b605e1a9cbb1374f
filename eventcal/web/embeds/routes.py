"""Everything for webmasters: each module puts itself on the blueprint."""

from eventcal.web.embeds import builder, listing, oembed, script
from eventcal.web.embeds.csp import embeds

__all__ = ["builder", "embeds", "listing", "oembed", "script"]
