"""The listing embedded in other sites: as an iframe, as a web component, and by oEmbed."""

from eventcal.web.embeds import builder, oembed
from eventcal.web.embeds.listing import embeds

__all__ = ["builder", "embeds", "oembed"]
