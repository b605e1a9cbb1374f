"""The shapes of a member's own things: profile, sessions, access tokens, secret feeds."""

from marshmallow import fields

from eventcal.events.words import TeamRole
from eventcal.members.words import Role, Scope
from eventcal.web.params.fields import says
from eventcal.web.schemas.fields import URI, Instant, Items, Line, Part, Shape, Word
from eventcal.web.schemas.out import Out, page_of


class TeamOut(Out):
    """What the member is to one event."""

    event = fields.String(required=True, metadata=says("The event's slug."))
    role = Word(TeamRole, required=True)


class MemberOut(Out):
    """A member, as they see themselves."""

    id = fields.String(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    role = Word(Role, required=True)
    confirmed = fields.Boolean(required=True)
    created_at = Instant(required=True)
    speaker = fields.String(required=True, allow_none=True, metadata=says("The slug of who they are on stage."))
    teams = fields.List(fields.Nested(TeamOut), required=True)


class MemberPatch(Shape):
    """What changes of the caller's own profile (RFC 7396)."""

    name = Line(200)


class StaysPublicOut(Out):
    """What the public goes on seeing."""

    talks = fields.List(fields.String(), required=True, metadata=says("The ids of the talks."))
    speaker = fields.String(required=True, allow_none=True, metadata=says("The speaker's slug."))


class LeftOut(Out):
    """What becomes of what a removed account left."""

    stays_public = Part(StaysPublicOut, required=True)
    detail = fields.String(required=True)


class SessionOut(Out):
    """A session of a browser. It ends at `expires_at` unless it is used before; that moves the end, up to 30 days."""

    id = fields.String(required=True)
    created_at = Instant(required=True)
    last_seen_at = Instant(required=True, says="When it was last used, to within an hour.")
    expires_at = Instant(required=True)
    user_agent = fields.String(
        required=True, allow_none=True, metadata=says("What the browser called itself when it began.")
    )
    current = fields.Boolean(required=True, metadata=says("Whether it is the session of this request."))


class SessionsOut(Out):
    """The caller's sessions, the last used first."""

    items = fields.List(fields.Nested(SessionOut), required=True)


class TokenIn(Shape):
    """A new access token. Each scope holds the ones before it: read, submit, organise, admin."""

    name = Line(100, required=True)
    scopes = Items(Word(Scope), least=1, limit=len(Scope), required=True)
    expires_at = Instant(allow_none=True, load_default=None)


class TokenOut(Out):
    """An access token, by what is kept of it."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    scopes = fields.List(Word(Scope), required=True)
    expires_at = Instant(required=True, allow_none=True)
    created_at = Instant(required=True)


class NewTokenOut(TokenOut):
    """A new access token, shown this once; null where an Idempotency-Key brings the answer again."""

    token = fields.String(required=True, allow_none=True)


class FeedIn(Shape):
    """A new secret feed, one for each device."""

    name = Line(100, required=True)


class FeedOut(Out):
    """A secret feed. `url` is shown in the answer to the POST only, and null ever after."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    url = fields.String(required=True, allow_none=True, metadata=URI)
    last_fetched_at = Instant(required=True, allow_none=True)


TokenPage = page_of(TokenOut, "TokenPage")
FeedPage = page_of(FeedOut, "FeedPage")
