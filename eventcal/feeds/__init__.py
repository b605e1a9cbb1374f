"""Calendar feeds: calendar entries, the feed index, and the serializers for all feed formats."""
