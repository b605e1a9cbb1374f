"""The shapes of a member: accounts and signing in, profile, sessions, access tokens, secret feeds.

Every fault of every field is reported at once.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from eventcal.events.words import TeamRole
from eventcal.kit.refusals import Sentence
from eventcal.members.words import Role, Scope
from eventcal.web.identity import passwords
from eventcal.web.params.fields import says
from eventcal.web.schemas.fields import URI, Address, Instant, Items, Line, Part, Shape, Text, Word
from eventcal.web.schemas.out import Out

_LONGEST_INPUT = 1000
_LONGEST_TOKEN = 2000
_LONGEST_CODE = 100
_LONGEST_ANSWER = 100_000


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


class Password(Text):
    """A password to compare; what it is worth is not the schema's business."""

    limit = _LONGEST_INPUT
    form: Mapping[str, Any] = {**Text.form, "format": "password"}


class NewPassword(Password):
    """A password that may be set, handed on in its normal form."""

    form: Mapping[str, Any] = {**Password.form, "minLength": 8, "maxLength": 128}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ANN401 - marshmallow's signature
        faults, normal = passwords.check_new_password(super()._deserialize(value, attr, data, **kwargs))
        if faults:
            raise ValidationError(faults)
        return normal


class RegisterIn(Shape):
    """A new member."""

    email = Address(required=True)
    password = NewPassword(required=True, load_only=True)
    name = Line(200, required=True)


class RegisteredOut(Shape):
    """What was registered. `confirmed` is false while a mailed link waits to be followed."""

    email = fields.String(required=True)
    name = fields.String(required=True)
    confirmed = fields.Boolean(required=True)


class LoginIn(Shape):
    """An address and a password; a code too, for whoever has set up an authenticator app."""

    email = Text(_LONGEST_INPUT, required=True)
    password = Password(required=True, load_only=True)
    code = Text(_LONGEST_CODE, load_only=True, metadata={"description": "What the app shows, or a recovery code."})


class CodeIn(Shape):
    """A code by itself."""

    code = Line(_LONGEST_CODE, required=True)


class ProofIn(Shape):
    """The caller's password, or a code of theirs; which of them it is, is seen later."""

    proof = Text(_LONGEST_INPUT, required=True, load_only=True)


class PasskeyIn(Shape):
    """What a new passkey is called, and what the browser answered."""

    name = Line(100, required=True)
    answer = Text(_LONGEST_ANSWER, required=True)


class SignedInOut(Shape):
    """The member who signed in, and what unsafe calls with the cookie carry in X-CSRF-Token."""

    member = Part(MemberOut, required=True)
    csrf_token = fields.String(required=True)


class ConfirmIn(Shape):
    """A mailed token; or an address, to which the mail is sent again."""

    also = {"oneOf": [{"required": ["token"]}, {"required": ["email"]}]}  # noqa: RUF012 - as marshmallow's own

    token = Text(_LONGEST_TOKEN)
    email = Address()

    @validates_schema
    def check_one(self, data: dict[str, Any], **_: object) -> None:
        """Refuse both and neither."""
        if ("token" in data) is ("email" in data):
            raise ValidationError(Sentence("must hold either token or email"), "token")


class ConfirmedOut(Shape):
    """That the address is confirmed."""

    confirmed = fields.Boolean(required=True)


class MailedOut(Shape):
    """What happens if the address is known; whether it is stays unsaid."""

    detail = fields.String(required=True)


class ResetIn(Shape):
    """Whom to mail the way to a new password."""

    email = Address(required=True)


class ResetConfirmIn(Shape):
    """A mailed token and the password it sets."""

    token = Text(_LONGEST_TOKEN, required=True)
    password = NewPassword(required=True, load_only=True)


class OwnPasswordIn(Shape):
    """The caller's password, for what cannot be undone."""

    password = Password(required=True, load_only=True)


class PasswordIn(OwnPasswordIn):
    """The caller's password and the new one."""

    new_password = NewPassword(required=True, load_only=True)
