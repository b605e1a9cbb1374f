"""What records of a file say of each other: whoever they name is there, in the file or on this installation."""

from collections.abc import Iterator

from eventcal.datasets.reading import Dataset, Record
from eventcal.datasets.state import Loading
from eventcal.kit.refusals import Fault


def reference_faults(loading: Loading, dataset: Dataset) -> Iterator[Fault]:
    """Give a fault for each name that nobody has. What is there but faulty counts: its own fault is named."""
    for event in dataset.events:
        yield from _of_event(loading, event)
    for talk in dataset.talks:
        yield from _of_talk(loading, talk)


def _of_event(loading: Loading, event: Record) -> Iterator[Fault]:
    for i, slug in enumerate(event.fields.get("co_located_with") or ()):
        place = f"{event.pointer}/co_located_with/{i}"
        if slug == event.key:
            yield Fault(place, "an event is not held beside itself")
        elif not loading.knows("events", slug):
            yield Fault(place, _nobody("event", slug))
    for i, held in enumerate(event.fields.get("sponsorships", ())):
        if not loading.knows("sponsors", held["sponsor"]):
            yield Fault(f"{event.pointer}/sponsorships/{i}/sponsor", _nobody("sponsor", held["sponsor"]))


def _of_talk(loading: Loading, talk: Record) -> Iterator[Fault]:
    if not loading.knows("events", talk.fields["event"]):
        yield Fault(f"{talk.pointer}/event", _nobody("event", talk.fields["event"]))
    for i, slug in enumerate(talk.fields.get("speakers", ())):
        if not loading.knows("speakers", slug):
            yield Fault(f"{talk.pointer}/speakers/{i}", _nobody("speaker", slug))
    earlier = talk.fields.get("reprise_of")
    if earlier is None:
        return
    key = (earlier["event"], earlier["title"])
    if key == talk.key:
        yield Fault(f"{talk.pointer}/reprise_of", "a talk does not repeat itself; name the earlier one")
    elif not loading.knows("talks", key):
        yield Fault(f"{talk.pointer}/reprise_of", f"there is no talk “{key[1]}” at “{key[0]}”, in this file or here")


def _nobody(kind: str, slug: str) -> str:
    return f"there is no {kind} “{slug}”, in this file or here"
