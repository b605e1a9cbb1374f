"""What may stand in a path."""

from werkzeug.routing import BaseConverter


class Segment(BaseConverter):
    """One step of a path: a slug, an id, a secret. Where there is a control character in it, nothing is found.

    No name of ours has one, and PostgreSQL cannot even be asked for U+0000.
    """

    regex = r"[^/\x00-\x1f\x7f]+"
    part_isolating = True
