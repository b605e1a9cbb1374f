"""An event's tiers and who holds them: offered, changed, removed; enquiries confirmed and cancelled; sponsors added."""

from collections.abc import Mapping
from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.errors import NameTaken
from eventcal.events.models import Event
from eventcal.events.queries import get_organised_event
from eventcal.kit.paging import LARGEST_LIMIT, Paging
from eventcal.kit.refusals import NotFound, Refusal, Sentence
from eventcal.sponsors import service
from eventcal.sponsors.errors import NoSuchSponsorship, NoSuchTier
from eventcal.sponsors.models import Sponsorship, Tier
from eventcal.sponsors.queries import (
    enquirers_of,
    find_tier_of,
    get_sponsorship,
    list_sponsorships,
    list_tiers,
)
from eventcal.sponsors.rules import STEPS, SponsorshipStep
from eventcal.sponsors.words import SponsorshipState
from eventcal.web.identity.permissions import caller
from eventcal.web.pages.organise.labels import sponsorship_in_words
from eventcal.web.pages.organise.layout import section_page, show_event_page
from eventcal.web.pages.organise.row_forms import NEW, RowForm, handle_row_form, row_form, typed_in
from eventcal.web.pages.organise.setup.sponsor_forms import (
    PLACES,
    TIER_FIELDS,
    TIER_IN,
    sponsorship_fields,
    tier_fields,
    tier_form,
)
from eventcal.web.rendering.forms import said_after
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import answer_page, signed_in
from eventcal.web.request.context import now, reading

_NEW_TIER, _NEW_SPONSOR = f"{NEW}-tier", f"{NEW}-sponsor"
_NEW_ROWS = {"add-tier": _NEW_TIER, "add-sponsor": _NEW_SPONSOR}


@pages.get("/organise/<slug>/sponsors")
@signed_in
def event_sponsors(slug: str) -> Response:
    """Show an event's tiers and sponsorships, and what can be done with each."""
    return show_event_page(slug, _render_list)


@pages.get("/organise/<slug>/sponsors/tiers/<tier_id>/remove")
@signed_in
def removing_tier(slug: str, tier_id: str) -> Response:
    """Ask whether a tier is to be removed."""
    with reading() as session:
        event = get_organised_event(session, slug, caller())
        tier = _tier(session, event, tier_id)
        return answer_page(
            _render_confirm(event, _("Remove this tier?"), do="remove-tier", row=tier.id, name=tier.name)
        )


@pages.get("/organise/<slug>/sponsors/<sponsorship_id>/cancel")
@signed_in
def cancelling_sponsorship(slug: str, sponsorship_id: str) -> Response:
    """Ask whether an enquiry or a sponsorship is to end."""
    with reading() as session:
        event = get_organised_event(session, slug, caller())
        row = _sponsorship(session, event, sponsorship_id)
        title, name = _("Cancel this sponsorship?"), row.sponsor.name
        return answer_page(_render_confirm(event, title, do="cancel", row=row.id, name=name, tier=row.tier.name))


@pages.post("/organise/<slug>/sponsors")
@signed_in
def change_sponsors(slug: str) -> Response:
    """Do what the button that was pressed says with a tier, a sponsorship, or a sponsor that is new."""
    row = _NEW_ROWS.get(request.form.get("do", ""), request.form.get("row", ""))

    def process(session: Session, event: Event) -> str:
        return f"/organise/{slug}/sponsors?done={_change(session, event)}"

    fields: Mapping[type[Refusal], str] = {NameTaken: "name"}
    return handle_row_form(slug, process, row=row, render_list=_render_list, fields=fields, places=PLACES)


def _change(session: Session, event: Event) -> str:
    """Do what the form asks for. Returns what was done, as the page says it afterwards."""
    asked, row = request.form.get("do", ""), request.form.get("row", "")
    if asked == "add-tier":
        service.add_tier(session, event, tier_fields(TIER_IN, typed_in(_NEW_TIER, request.form)))
    elif asked == "save-tier":
        tier = _tier(session, event, row)
        service.edit_tier(session, tier, tier_fields(TIER_FIELDS, typed_in(row, request.form)))
    elif asked == "remove-tier":
        service.remove_tier(session, _tier(session, event, row))
    elif asked == "add-sponsor":
        fields = sponsorship_fields(typed_in(_NEW_SPONSOR, request.form))
        service.enquire(session, event, fields, caller=caller(), now=now())
    elif asked == "confirm":
        service.confirm_sponsorship(session, _sponsorship(session, event, row), caller=caller(), now=now())
    elif asked == "cancel":
        service.cancel_sponsorship(session, _sponsorship(session, event, row), caller=caller(), now=now())
    else:
        raise NotFound(Sentence("There is no such step."))
    return asked


def _tier(session: Session, event: Event, tier_id: str) -> Tier:
    """Return a tier of this event. Raises NoSuchTier."""
    tier = find_tier_of(session, event, tier_id)
    if tier is None:
        raise NoSuchTier(tier_id)
    return tier


def _sponsorship(session: Session, event: Event, sponsorship_id: str) -> Sponsorship:
    """Return a sponsorship of this event. Raises NoSuchSponsorship."""
    row = get_sponsorship(session, sponsorship_id, caller())
    if row.tier.event_id != event.id:
        raise NoSuchSponsorship(sponsorship_id)
    return row


def _render_list(session: Session, event: Event, wrong: RowForm | None = None) -> Page:
    """Return the page; `wrong` replaces the form of the row with the same name."""
    tiers = list_tiers(session, event)
    forms = {tier.id: tier_form(tier) for tier, _taken in tiers}
    forms |= {_NEW_TIER: row_form(_NEW_TIER, {"rank": 1}), _NEW_SPONSOR: RowForm(row=_NEW_SPONSOR)}
    if wrong is not None:
        forms[wrong.row] = wrong
    found = list_sponsorships(session, event, paging=Paging(limit=LARGEST_LIMIT, cursor=request.args.get("cursor")))
    members = enquirers_of(session, found.items)
    return section_page(
        event,
        template="sponsors.html",
        title=_("Sponsors"),
        section="sponsors",
        tiers=[{"tier": tier, "taken": taken} for tier, taken in tiers],
        tier_choices=[(tier.id, tier.name) for tier, _taken in tiers],
        groups=[
            {
                "title": sponsorship_in_words(state),
                "items": [_shown(one, members) for one in found.items if one.state == state],
            }
            for state in SponsorshipState
        ],
        next=found.next,
        forms=forms,
        wrong=wrong or RowForm(),
        done=said_after(
            {
                "add-tier": _("It is added."),
                "save-tier": _("It is saved."),
                "remove-tier": _("It is removed."),
                "add-sponsor": _("It is added, as asked for: confirm it, and it stands on the event's page."),
                "confirm": _("It is confirmed, and stands on the event's page."),
                "cancel": _("It is cancelled; its place is free again."),
            }
        ),
    )


def _shown(one: Sponsorship, members: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "row": one,
        "by": members.get(one.enquirer_id or ""),
        "can_confirm": one.state in STEPS[SponsorshipStep.CONFIRM].sources,
        "can_cancel": one.state in STEPS[SponsorshipStep.CANCEL].sources,
    }


def _render_confirm(event: Event, title: str, *, do: str, row: str, name: str, tier: str | None = None) -> Page:
    values = {"do": do, "row": row, "name": name, "tier": tier}
    return section_page(event, template="ask_sponsors.html", title=title, section="sponsors", within=True, **values)
