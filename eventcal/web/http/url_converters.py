"""URL converters for path segments."""

from werkzeug.routing import BaseConverter


class SegmentConverter(BaseConverter):
    """Match a path segment that contains no control characters. PostgreSQL rejects U+0000 in strings."""

    regex = r"[^/\x00-\x1f\x7f]+"
    part_isolating = True
