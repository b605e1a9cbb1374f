from types import NoneType
from typing import get_args, get_type_hints

import pytest

from eventcal.events.fields import CallForTalksFields, EventFields, Location, OverrideFields, Price, Registration
from eventcal.talks.fields import SpeakerOfTalk, TalkFields
from eventcal.web.schemas import events, talks
from eventcal.web.schemas.fields import BaseSchema
from eventcal.web.schemas.money import Money
from eventcal.web.schemas.occurrences import OverrideIn


@pytest.mark.parametrize(
    ("typed_dict", "schemas"),
    [
        (TalkFields, [talks.TalkIn, talks.TalkPatch]),
        (SpeakerOfTalk, [talks.SpeakerOnTalk]),
        (EventFields, [events.EventIn, events.EventPatch]),
        (Location, [events.Place]),
        (Registration, [events.Registration]),
        (Price, [Money]),
        (CallForTalksFields, [events.CallForTalksIn]),
        (OverrideFields, [OverrideIn]),
    ],
)
def test_typed_dict_has_the_fields_of_its_schemas_and_allows_none_where_they_do(
    typed_dict: type, schemas: list[type[BaseSchema]]
) -> None:
    # Only services pass these fields.
    hints = {
        name: NoneType in get_args(hint)
        for name, hint in get_type_hints(typed_dict).items()
        if name not in {"speaker", "entered"}
    }
    assert {name: field.allow_none for schema in schemas for name, field in schema().fields.items()} == hints
