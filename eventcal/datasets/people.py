"""Speakers and sponsors of a data set."""

from eventcal.datasets.reading import Record
from eventcal.datasets.state import Loading
from eventcal.kit.refusals import Fault, refuse_faults
from eventcal.members.caller import OPERATOR
from eventcal.speakers.service import add_speaker, edit_speaker
from eventcal.sponsors.service import add_sponsor, edit_sponsor


def load_speaker(loading: Loading, record: Record) -> None:
    """Add a speaker, or bring the one with this slug to what the file says."""
    slug = record.fields["slug"]
    about = {name: value for name, value in record.fields.items() if name != "slug"}
    speaker = loading.speakers.get(slug)
    if speaker is not None and speaker.slug != slug:
        # They were found to be somebody else, who is known by more than this file says.
        return
    with loading.attempt(record.pointer):
        if speaker is None:
            _check_named(record)
            speaker = add_speaker(loading.session, record.fields, member_id=None, now=loading.now)
        edit_speaker(loading.session, speaker, about, caller=OPERATOR, now=loading.now)
        loading.speakers[slug] = speaker


def load_sponsor(loading: Loading, record: Record) -> None:
    """Add a sponsor, or bring the one with this slug to what the file says."""
    slug = record.fields["slug"]
    about = {name: value for name, value in record.fields.items() if name != "slug"}
    with loading.attempt(record.pointer):
        if slug in loading.sponsors:
            edit_sponsor(loading.session, loading.sponsors[slug], about, caller=OPERATOR, now=loading.now)
        else:
            _check_named(record)
            loading.sponsors[slug] = add_sponsor(loading.session, record.fields, now=loading.now)


def _check_named(record: Record) -> None:
    if "name" not in record.fields:
        refuse_faults([Fault("/name", "is required of somebody new")])
