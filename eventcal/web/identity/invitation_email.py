"""Invitations that are sent by email."""

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from eventcal.events.enums import PUBLIC_STATUSES, TeamRole
from eventcal.events.models import Event
from eventcal.invitations.service import invite_to_team
from eventcal.outbox.enums import MailKind
from eventcal.outbox.service import MailTopic, queue_mail
from eventcal.web.identity.current_user import caller
from eventcal.web.request.context import now, settings


def invite_to_team_by_email(session: Session, event: Event, *, email: str, role: TeamRole) -> None:
    """Invite an email address to the team of an event, and queue the email with the link.

    The email names only events that a moderator has published, because anybody can propose an event with any title and
    invite any address.
    """
    _invitation, token = invite_to_team(session, event, email=email, role=role, caller=caller(), now=now())
    if settings().mail_url is None:
        return
    calendar = settings().name
    mail = current_app.jinja_env.get_template("mail/invitation.txt")
    text = mail.render(
        base=settings().base_url,
        calendar=calendar,
        event=event.title if event.status in PUBLIC_STATUSES else None,
        is_organiser=role == TeamRole.ORGANISER,
        token=token,
    )
    subject = _("%(calendar)s: you are invited to a team", calendar=calendar)
    about = MailTopic(event_id=event.id)
    queue_mail(session, MailKind.INVITATION, to=email, subject=subject, text=text, about=about, now=now())
