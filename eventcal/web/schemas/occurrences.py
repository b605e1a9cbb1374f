"""Schemas of the occurrences of recurring events and of overrides for single occurrences."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields

from eventcal.events import limits
from eventcal.events.enums import EventStatus, OccurrenceStatus
from eventcal.events.recurrence import overrides
from eventcal.events.recurrence.occurrences import Occurrence
from eventcal.kit.validators import NOT_OBJECT
from eventcal.web.params.fields import DateParam, described
from eventcal.web.schemas import fields as strict
from eventcal.web.schemas.fields import LOCAL_PATTERN, URI, BaseSchema, PageQuery
from eventcal.web.schemas.response_schema import Json, ResponseSchema, format_local_instant


def _check_is_not_false(value: object) -> None:
    if value is False:
        raise ValidationError(overrides.EXCLUDED_MUST_BE_TRUE)


class OverrideIn(BaseSchema):
    """An override for one occurrence. Unless `excluded` is true, the override's fields replace those of the event."""

    excluded = strict.BoolField(
        allow_none=True,
        validate=_check_is_not_false,
        metadata={"description": "true: it does not take place and is not shown.", "not": {"const": False}},
    )
    title = strict.SingleLine(limits.TITLE, allow_none=True)
    summary = strict.MultiLine(limits.SUMMARY, allow_none=True)
    starts = strict.LocalTime(allow_none=True, doc="The new start. Without `ends`, the duration stays the same.")
    ends = strict.LocalTime(allow_none=True)
    status = strict.EnumField(
        OccurrenceStatus, allow_none=True, doc="cancelled: it does not take place, and is shown as cancelled."
    )
    venue = strict.SingleLine(limits.VENUE, allow_none=True)
    online_url = strict.HttpUrl(allow_none=True)


class OverridesField(strict.Field, fields.Dict):
    """A mapping from occurrences to overrides. A null value removes the override for the occurrence."""

    default_error_messages = {"invalid": NOT_OBJECT}

    def __init__(self, **settings: Any) -> None:
        super().__init__(keys=fields.String(), values=strict.NestedField(OverrideIn, allow_none=True), **settings)

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Json:
        del attr, data, kwargs
        if not isinstance(value, Mapping):
            raise self.make_error("invalid")
        if len(value) > overrides.MAX_OVERRIDES:
            # Check the size first, because validating the overrides of an extremely large mapping could take seconds.
            raise ValidationError(overrides.TOO_MANY_OVERRIDES_ERROR)
        errors: dict[str, Any] = {}
        read: dict[str, Any] = {}
        for occurrence, override in value.items():
            fault = overrides.occurrence_id_error(occurrence)
            try:
                read[occurrence] = self.value_field.deserialize(override) if self.value_field else override
            except ValidationError as error:
                errors[occurrence] = error.messages
            if fault is not None:
                errors[occurrence] = [fault]
        if errors:
            raise ValidationError(errors)
        return read


class OverrideOut(BaseSchema):
    """An override, as returned by the API, with only the fields that differ from those of the event."""

    excluded = fields.Boolean()
    title = fields.String()
    summary = fields.String()
    starts = fields.String(metadata={"pattern": LOCAL_PATTERN})
    ends = fields.String(metadata={"pattern": LOCAL_PATTERN})
    status = fields.Enum(OccurrenceStatus, by_value=True)
    venue = fields.String()
    online_url = fields.String(metadata=URI)


class OccurrenceOut(ResponseSchema):
    """An occurrence of an event with its override applied, as returned by the API."""

    occurrence = fields.String(
        required=True,
        metadata={"pattern": LOCAL_PATTERN, **described("The start by the recurrence rule, even if it was moved.")},
    )
    title = fields.String(required=True)
    status = fields.Enum(EventStatus, by_value=True, required=True)
    starts = fields.String(required=True, metadata={"pattern": LOCAL_PATTERN})
    ends = fields.String(required=True, metadata={"pattern": LOCAL_PATTERN})
    starts_at = strict.InstantField(required=True)
    ends_at = strict.InstantField(required=True, doc="Exclusive. If all-day, the start of the day after `ends`.")
    venue = fields.String(required=True, allow_none=True)
    online_url = fields.String(required=True, allow_none=True, metadata=URI)


class OccurrenceQuery(PageQuery):
    """The query parameters of the list of occurrences."""

    from_day = DateParam(
        data_key="from",
        load_default=None,
        metadata=described("Only occurrences that end on or after this day, in the event's time zone. Default: today."),
    )
    to_day = DateParam(
        data_key="to",
        load_default=None,
        metadata=described("Only occurrences that begin on or before this day. Default: 400 days after `from`."),
    )


def occurrence_json(occurrence: Occurrence, tzid: str) -> Json:
    """Return the JSON representation of an occurrence. `tzid` is the time zone of the event."""
    slot = occurrence.slot
    return OccurrenceOut.serialize(
        occurrence,
        occurrence=slot.occurrence,
        starts=slot.starts,
        ends=slot.ends,
        starts_at=format_local_instant(slot.starts_at, tzid),
        ends_at=format_local_instant(slot.ends_at, tzid),
    )
