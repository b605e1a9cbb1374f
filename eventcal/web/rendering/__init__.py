"""Page rendering shared by pages, embeds and the feed check."""
