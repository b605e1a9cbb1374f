"""Expensive work on a request body that is done before the unit of work, so that it does not delay other writers."""

from collections.abc import Mapping
from typing import Any

from eventcal.events.recurrence.clock_changes import local_starts_at_clock_changes
from eventcal.events.recurrence.expansion import expand_rule
from eventcal.kit.localtime import is_known_zone
from eventcal.kit.markdown import to_html

_MARKDOWN_FIELDS = ("summary", "description", "abstract", "bio")


def prepare_body(fields: Mapping[str, Any]) -> None:
    """Render the Markdown and expand the recurrence rule in a validated body.

    The results are cached. The services and the feed index need them while they hold the write lock.
    """
    for name in _MARKDOWN_FIELDS:
        to_html(fields.get(name) or "")
    rule = fields.get("recurrence")
    if rule and {"starts", "ends"} <= fields.keys() and is_known_zone(fields.get("timezone", "")):
        dates = expand_rule(rule, fields["starts"], fields["timezone"])
        if dates is not None and not dates.is_too_sparse:
            # The last date is computed when it is read for the first time.
            _ = dates.last_date
            if "T" in fields["starts"] and "T" in fields["ends"]:
                local_starts_at_clock_changes(rule, fields["starts"], fields["ends"], tzid=fields["timezone"])
