"""The listing on other people's sites: as a frame, as an element of their pages, and by oEmbed."""
