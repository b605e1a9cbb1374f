"""Forms for the sponsor tiers and sponsorships of an event."""

from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from eventcal.events.errors import DuplicateName
from eventcal.events.models import Event
from eventcal.kit.errors import Message, NotFound, require
from eventcal.kit.pagination import MAX_LIMIT, PageRequest
from eventcal.sponsors import queries, service
from eventcal.sponsors.errors import SponsorshipNotFound, TierNotFound
from eventcal.sponsors.models import Sponsorship, Tier
from eventcal.sponsors.rules import SPONSORSHIP_TRANSITIONS, SponsorshipAction
from eventcal.web.i18n import translate
from eventcal.web.identity.current_user import caller
from eventcal.web.pages.organise import layout, row_forms
from eventcal.web.pages.organise.event_form import parse_price, price_field_values
from eventcal.web.pages.organise.labels import SPONSORSHIP_STATE_LABELS
from eventcal.web.rendering.forms import FormData, done_message, normalise_newlines, parse_int, validate
from eventcal.web.rendering.page import Page, pages
from eventcal.web.rendering.private_page import login_required
from eventcal.web.request.context import now
from eventcal.web.schemas.sponsors import SponsorshipIn, TierFields, TierIn

_TIER_IN, _TIER, _SPONSORSHIP = TierIn(), TierFields(), SponsorshipIn()
_SPONSOR_FIELDS = ("name", "url", "description")
# Maps JSON pointers in API request bodies to JSON pointers of form fields.
_FORM_POINTERS = {
    "/price": "/price_amount",
    "/price/amount": "/price_amount",
    "/price/currency": "/price_currency",
    "/sponsor": "/slug",
    "/sponsor/slug": "/slug",
    **{f"/sponsor/{name}": f"/{name}" for name in _SPONSOR_FIELDS},
}


@pages.route("/organise/<slug>/sponsors", methods=["GET", "POST"])
@login_required
def event_sponsors(slug: str) -> Response:
    return row_forms.handle_row_forms(
        slug,
        _process_sponsor_row,
        render_list=_build_sponsors_page,
        error_fields={DuplicateName: "name"},
        form_pointers=_FORM_POINTERS,
    )


@pages.get("/organise/<slug>/sponsors/tiers/<tier_id>/remove")
@login_required
def confirm_remove_tier(slug: str, tier_id: str) -> Response:
    with layout.open_event_session(slug) as (session, event):
        tier = _get_tier(session, event, tier_id)
        values = {"do": "remove-tier", "row": tier.id, "name": tier.name}
        return layout.confirm_page(event, "event_sponsors", "ask_sponsors.html", title=_("Remove this tier?"), **values)


@pages.get("/organise/<slug>/sponsors/<sponsorship_id>/cancel")
@login_required
def confirm_cancel_sponsorship(slug: str, sponsorship_id: str) -> Response:
    with layout.open_event_session(slug) as (session, event):
        row = _get_sponsorship(session, event, sponsorship_id)
        values = {"do": "cancel", "row": row.id, "name": row.sponsor.name, "tier": row.tier.name}
        title = _("Cancel this sponsorship?")
        return layout.confirm_page(event, "event_sponsors", "ask_sponsors.html", title=title, **values)


def _process_sponsor_row(session: Session, event: Event) -> str:
    do, row, data = row_forms.parse_submitted_row()
    match do:
        case "add-tier":
            service.create_tier(session, event, _validate_tier_row(_TIER_IN, data))
        case "save-tier":
            service.update_tier(session, _get_tier(session, event, row), _validate_tier_row(_TIER, data))
        case "remove-tier":
            service.delete_tier(session, _get_tier(session, event, row))
        case "add-sponsor":
            service.request_sponsorship(session, event, _validate_sponsorship_row(data), caller=caller(), now=now())
        case "confirm" | "cancel":
            sponsorship = _get_sponsorship(session, event, row)
            service.apply_sponsorship_action(session, sponsorship, SponsorshipAction(do), caller=caller(), now=now())
        case _:
            raise NotFound(Message("There is no such step."))
    return url_for("pages.event_sponsors", slug=event.slug, done=do)


def _get_tier(session: Session, event: Event, tier_id: str) -> Tier:
    return require(queries.find_event_tier(session, event, tier_id), TierNotFound(tier_id))


def _get_sponsorship(session: Session, event: Event, sponsorship_id: str) -> Sponsorship:
    row = queries.get_sponsorship(session, sponsorship_id, caller())
    if row.tier.event_id != event.id:
        raise SponsorshipNotFound(sponsorship_id)
    return row


def _validate_tier_row(schema: TierFields, data: FormData) -> dict[str, Any]:
    body = {
        "name": data.get("name", "").strip(),
        "price": parse_price(data),
        "capacity": parse_int(data.get("capacity", "")),
        "benefits": [line.strip() for line in normalise_newlines(data.get("benefits", "")).split("\n") if line.strip()],
    }
    rank = parse_int(data.get("rank", ""))
    return validate(schema, body if rank is None else {**body, "rank": rank})


def _build_tier_row_form(tier: Tier) -> row_forms.RowForm:
    plain = {name: getattr(tier, name) for name in ("name", "rank", "capacity")}
    return row_forms.build_row_form(
        tier.id, {**plain, **price_field_values(tier), "benefits": "\n".join(tier.benefits)}
    )


def _validate_sponsorship_row(data: FormData) -> dict[str, Any]:
    texts = {name: normalise_newlines(data.get(name, "")).strip() for name in ("slug", *_SPONSOR_FIELDS)}
    note = normalise_newlines(data.get("note", ""))
    body = {
        "tier": data.get("tier", ""),
        "sponsor": {name: value for name, value in texts.items() if value},
        "note": note if note.strip() else None,
    }
    return validate(_SPONSORSHIP, body)


def _build_sponsors_page(session: Session, event: Event, invalid_row: row_forms.RowForm | None = None) -> Page:
    tiers = queries.list_tiers_with_taken_places(session, event)
    forms = {tier.id: _build_tier_row_form(tier) for tier, _taken in tiers}
    new_tier, new_sponsor = f"{row_forms.NEW_ROW}-tier", f"{row_forms.NEW_ROW}-sponsor"
    forms |= {
        new_tier: row_forms.build_row_form(new_tier, {"rank": 1}),
        new_sponsor: row_forms.RowForm(row_key=new_sponsor),
    }
    paging = PageRequest(limit=MAX_LIMIT, cursor=request.args.get("cursor"))
    page = queries.list_sponsorships(session, event, paging=paging)
    return layout.render_section(
        event,
        section="event_sponsors",
        template="sponsors.html",
        title=_("Sponsors"),
        tiers=tiers,
        tier_choices=[(tier.id, tier.name) for tier, _taken in tiers],
        groups=[
            (translate(label), [row for row in page.items if row.state == state])
            for state, label in SPONSORSHIP_STATE_LABELS.items()
        ],
        to_confirm=SPONSORSHIP_TRANSITIONS[SponsorshipAction.CONFIRM].sources,
        to_cancel=SPONSORSHIP_TRANSITIONS[SponsorshipAction.CANCEL].sources,
        next=page.next_cursor,
        **row_forms.row_context(forms, invalid_row),
        done=done_message(
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
