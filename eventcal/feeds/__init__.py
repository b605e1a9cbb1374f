"""Calendar feeds: feed entries, the feed index, and the formats that feeds are served in."""
