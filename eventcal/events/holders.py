"""Who holds an access token, and on which teams they are: read in one statement, for every call with a token does."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, select

from eventcal.events.models import TeamMember
from eventcal.events.words import TeamRole
from eventcal.kit.database import UtcDateTime
from eventcal.kit.ids import secret_hash
from eventcal.members.caller import Caller
from eventcal.members.models import AccessToken, Member
from eventcal.members.words import Scope

_HOLDER = (
    select(Member.id, Member.role, Member.confirmed_at, AccessToken.scopes, TeamMember.event_id, TeamMember.role)
    .join(AccessToken, AccessToken.member_id == Member.id)
    .outerjoin(TeamMember, TeamMember.member_id == Member.id)
    .where(
        AccessToken.token_hash == bindparam("token_hash"),
        Member.active,
        or_(
            AccessToken.expires_at.is_(None),
            AccessToken.expires_at > bindparam("now", type_=UtcDateTime()),
        ),
    )
)


def find_token_caller(connection: Connection, token: str, *, now: datetime) -> Caller | None:
    """Return the active member who holds this access token, as a Caller with its scopes; None once it is over.

    They are confirmed where their address is; whether that matters, others know.
    """
    rows = connection.execute(_HOLDER, {"token_hash": secret_hash(token), "now": now}).all()
    if not rows:
        return None
    member_id, role, confirmed_at, scopes, *_ = rows[0]
    teams = [(event_id, team_role) for *_, event_id, team_role in rows]
    return Caller(
        member_id=member_id,
        role=role,
        organises=frozenset(event_id for event_id, team_role in teams if team_role == TeamRole.ORGANISER),
        reviews=frozenset(event_id for event_id, team_role in teams if team_role == TeamRole.REVIEWER),
        scopes=frozenset(Scope(word) for word in scopes),
        confirmed=confirmed_at is not None,
    )
