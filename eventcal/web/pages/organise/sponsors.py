"""Forms for the sponsor tiers and sponsorships of an event."""

from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.errors import DuplicateName
from eventcal.events.models import Event
from eventcal.kit.paging import MAX_LIMIT, PageRequest
from eventcal.kit.refusals import Message, NotFound
from eventcal.sponsors import queries, service
from eventcal.sponsors.errors import SponsorshipNotFound, TierNotFound
from eventcal.sponsors.models import Sponsorship, Tier
from eventcal.sponsors.rules import SPONSORSHIP_TRANSITIONS, SponsorshipAction
from eventcal.web.i18n import translate
from eventcal.web.identity.current_user import caller
from eventcal.web.pages.organise import layout
from eventcal.web.pages.organise.event_form import money, money_values
from eventcal.web.pages.organise.labels import SPONSORSHIP_STATES
from eventcal.web.pages.organise.row_forms import NEW, RowForm, handle_rows, row_form, sent_row
from eventcal.web.rendering.forms import Typed, flash_for, lines, validate, whole_number
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import signed_in
from eventcal.web.request.context import now
from eventcal.web.schemas.sponsors import SponsorshipIn, TierFields, TierIn

_TIER_IN, _TIER, _SPONSORSHIP = TierIn(), TierFields(), SponsorshipIn()
_ABOUT = ("name", "url", "description")
# Form fields by the pointers of the API's request bodies.
_PLACES = {
    "/price": "/price_amount",
    "/price/amount": "/price_amount",
    "/price/currency": "/price_currency",
    "/sponsor": "/slug",
    "/sponsor/slug": "/slug",
    **{f"/sponsor/{name}": f"/{name}" for name in _ABOUT},
}


@pages.route("/organise/<slug>/sponsors", methods=["GET", "POST"])
@signed_in
def event_sponsors(slug: str) -> Response:
    """Show an event's tiers and sponsorships, or perform the action of the button that was pressed."""
    return handle_rows(slug, _change, render_list=_render_list, fields={DuplicateName: "name"}, places=_PLACES)


@pages.get("/organise/<slug>/sponsors/tiers/<tier_id>/remove")
@signed_in
def removing_tier(slug: str, tier_id: str) -> Response:
    """Ask for confirmation to remove a tier."""
    with layout.reading_event(slug) as (session, event):
        tier = _tier(session, event, tier_id)
        values = {"do": "remove-tier", "row": tier.id, "name": tier.name}
        return layout.ask_before(event, "event_sponsors", "ask_sponsors.html", _("Remove this tier?"), **values)


@pages.get("/organise/<slug>/sponsors/<sponsorship_id>/cancel")
@signed_in
def cancelling_sponsorship(slug: str, sponsorship_id: str) -> Response:
    """Ask for confirmation to cancel an enquiry or a sponsorship."""
    with layout.reading_event(slug) as (session, event):
        row = _sponsorship(session, event, sponsorship_id)
        values = {"do": "cancel", "row": row.id, "name": row.sponsor.name, "tier": row.tier.name}
        return layout.ask_before(event, "event_sponsors", "ask_sponsors.html", _("Cancel this sponsorship?"), **values)


def _change(session: Session, event: Event) -> str:
    do, row, typed = sent_row()
    match do:
        case "add-tier":
            service.create_tier(session, event, _tier_fields(_TIER_IN, typed))
        case "save-tier":
            service.update_tier(session, _tier(session, event, row), _tier_fields(_TIER, typed))
        case "remove-tier":
            service.delete_tier(session, _tier(session, event, row))
        case "add-sponsor":
            service.request_sponsorship(session, event, _sponsorship_fields(typed), caller=caller(), now=now())
        case "confirm" | "cancel":
            sponsorship = _sponsorship(session, event, row)
            service.apply_sponsorship_action(session, sponsorship, SponsorshipAction(do), caller=caller(), now=now())
        case _:
            raise NotFound(Message("There is no such step."))
    return url_for("pages.event_sponsors", slug=event.slug, done=do)


def _tier(session: Session, event: Event, tier_id: str) -> Tier:
    tier = queries.find_event_tier(session, event, tier_id)
    if tier is None:
        raise TierNotFound(tier_id)
    return tier


def _sponsorship(session: Session, event: Event, sponsorship_id: str) -> Sponsorship:
    row = queries.get_sponsorship(session, sponsorship_id, caller())
    if row.tier.event_id != event.id:
        raise SponsorshipNotFound(sponsorship_id)
    return row


def _tier_fields(schema: TierFields, typed: Typed) -> dict[str, Any]:
    given = {
        "name": typed.get("name", "").strip(),
        "price": money(typed),
        "capacity": whole_number(typed.get("capacity", "")),
        "benefits": [line.strip() for line in lines(typed.get("benefits", "")).split("\n") if line.strip()],
    }
    rank = whole_number(typed.get("rank", ""))
    return validate(schema, given if rank is None else {**given, "rank": rank})


def _tier_form(tier: Tier) -> RowForm:
    plain = {name: getattr(tier, name) for name in ("name", "rank", "capacity")}
    return row_form(tier.id, {**plain, **money_values(tier), "benefits": "\n".join(tier.benefits)})


def _sponsorship_fields(typed: Typed) -> dict[str, Any]:
    """Return the validated fields of a new sponsorship. Raises Invalid with all field errors."""
    said = {name: lines(typed.get(name, "")).strip() for name in ("slug", *_ABOUT)}
    note = lines(typed.get("note", ""))
    given = {
        "tier": typed.get("tier", ""),
        "sponsor": {name: value for name, value in said.items() if value},
        "note": note if note.strip() else None,
    }
    return validate(_SPONSORSHIP, given)


def _render_list(session: Session, event: Event, wrong: RowForm | None = None) -> Page:
    """Return the page. `wrong` is a form with errors, and replaces the form of its row."""
    tiers = queries.list_tiers_with_taken_places(session, event)
    forms = {tier.id: _tier_form(tier) for tier, _taken in tiers}
    forms |= {form.row: form for form in (row_form(f"{NEW}-tier", {"rank": 1}), RowForm(row=f"{NEW}-sponsor"))}
    if wrong is not None:
        forms[wrong.row] = wrong
    paging = PageRequest(limit=MAX_LIMIT, cursor=request.args.get("cursor"))
    found = queries.list_sponsorships(session, event, paging=paging)
    return layout.render_section(
        event,
        section="event_sponsors",
        template="sponsors.html",
        title=_("Sponsors"),
        tiers=tiers,
        tier_choices=[(tier.id, tier.name) for tier, _taken in tiers],
        groups=[
            (translate(words), [one for one in found.items if one.state == state])
            for state, words in SPONSORSHIP_STATES.items()
        ],
        members=queries.contacts_of(session, found.items),
        to_confirm=SPONSORSHIP_TRANSITIONS[SponsorshipAction.CONFIRM].sources,
        to_cancel=SPONSORSHIP_TRANSITIONS[SponsorshipAction.CANCEL].sources,
        next=found.next_cursor,
        forms=forms,
        wrong=wrong or RowForm(),
        done=flash_for(
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
