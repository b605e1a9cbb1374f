"""The fields of a talk, as passed to services. A missing key leaves a field unchanged, and None clears the field."""

from typing import Any, TypedDict

from eventcal.events.enums import TalkKind
from eventcal.speakers.models import Speaker
from eventcal.talks.models import TalkTexts


class SpeakerOfTalk(TypedDict, total=False):
    """A talk's speaker: `speaker` or `slug` identifies an existing speaker, and the other fields describe a new one.

    `entered` contains the value of `TalkSpeaker.entered`.
    """

    speaker: Speaker
    entered: dict[str, Any] | None
    slug: str
    name: str
    email: str | None
    job_title: str | None
    affiliation: str | None


class TalkFields(TalkTexts, total=False):
    """The fields of a talk. `reprise_of` is the ID of the earlier talk that a reprise repeats."""

    title: str
    kind: TalkKind
    track: str | None
    room: str | None
    starts: str | None
    ends: str | None
    duration_minutes: int | None
    tags: list[str] | None
    speakers: list[SpeakerOfTalk]
    reprise_of: str | None
    draft: bool
