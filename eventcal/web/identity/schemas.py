"""Schemas for members: registration, sign-in, profile, sessions, access tokens and secret feeds."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validates_schema
from marshmallow.validate import OneOf

from eventcal.events.enums import TeamRole
from eventcal.kit.errors import Message
from eventcal.kit.translations import LANGUAGES
from eventcal.kit.validators import must_be_one_of_message
from eventcal.members.enums import Role, Scope
from eventcal.members.password_rules import MAX_LENGTH, MIN_LENGTH, normalise_password, password_errors
from eventcal.web.params.fields import described, short_line_param
from eventcal.web.schemas.fields import (
    URI,
    BaseSchema,
    BoolField,
    EmailField,
    EnumField,
    InstantField,
    ListField,
    MultiLine,
    NestedField,
    PageQuery,
    SingleLine,
    Slug,
)
from eventcal.web.schemas.response_schema import ResponseSchema

_LONGEST_INPUT = 1000
_LONGEST_TOKEN = 2000
_LONGEST_CODE = 100


class TeamOut(ResponseSchema):
    """The role of a member in the team of an event."""

    event = fields.String(required=True, metadata=described("The event's slug."))
    role = EnumField(TeamRole, required=True)


class MemberOut(ResponseSchema):
    """The account of the current user."""

    id = fields.String(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    language = fields.String(
        required=True, allow_none=True, metadata=described("The language of email to the member, or null.")
    )
    role = EnumField(Role, required=True)
    confirmed = fields.Boolean(required=True)
    created_at = InstantField(required=True)
    speaker = fields.String(
        required=True, allow_none=True, metadata=described("The slug of the member's speaker profile.")
    )
    teams = fields.List(fields.Nested(TeamOut), required=True)


class PasswordField(MultiLine):
    """A password to verify. The strength of the password is not checked."""

    limit = _LONGEST_INPUT
    json_schema: Mapping[str, Any] = {**MultiLine.json_schema, "format": "password"}


class NewPasswordField(PasswordField):
    """A new password, which is validated without knowing whose password it is."""

    json_schema: Mapping[str, Any] = {
        **PasswordField.json_schema,
        "minLength": MIN_LENGTH,
        "maxLength": MAX_LENGTH,
        "description": "Not a common password, your name, your email address or the name of the calendar.",
    }

    def _deserialize(self, value: object, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        password = super()._deserialize(value, attr, data, **kwargs)
        if errors := password_errors(normalise_password(password), personal_texts=()):
            raise ValidationError(errors)
        return password


class MemberPatch(BaseSchema):
    """Changes to the current user's profile, as a JSON merge patch (RFC 7396).

    A new `email` requires the `password` of the account, and takes effect when the link in the confirmation email is
    used.
    """

    name = SingleLine(200)
    language = fields.String(
        validate=OneOf(LANGUAGES, error=must_be_one_of_message(LANGUAGES)),
        allow_none=True,
        metadata=described("The language of email to you."),
    )
    email = EmailField()
    password = PasswordField(load_only=True)

    @validates_schema
    def check_email_with_password(self, data: dict[str, Any], **_: object) -> None:
        if "email" in data and "password" not in data:
            raise ValidationError(Message("is required to change the email address"), "password")
        if "password" in data and "email" not in data:
            raise ValidationError(Message("is only for changing the email address; omit it"), "password")


class AccountOut(ResponseSchema):
    """The account of a member, as administrators see it."""

    id = fields.String(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    role = EnumField(Role, required=True)
    confirmed = fields.Boolean(required=True)
    suspended = fields.Boolean(required=True, metadata=described("Whether the member is barred from signing in."))
    created_at = InstantField(required=True)


class AccountPatch(BaseSchema):
    """Changes to the account of a member, as a JSON merge patch (RFC 7396)."""

    role = EnumField(Role)
    confirmed = BoolField(validate=OneOf([True], error=Message("must be true; omit it to change nothing")))


class MembersQuery(PageQuery):
    """The query parameters of the list of members."""

    q = short_line_param(load_default=None)


class StaysPublicOut(ResponseSchema):
    """The data that stays public after an account is deleted."""

    talks = fields.List(fields.String(), required=True, metadata=described("The ids of the talks."))
    speaker = fields.String(required=True, allow_none=True, metadata=described("The speaker's slug."))


class LeftOut(ResponseSchema):
    """The result of deleting an account."""

    stays_public = NestedField(StaysPublicOut, required=True)
    detail = fields.String(required=True)


class SessionOut(ResponseSchema):
    """A browser session. Using the session extends `expires_at`, up to 30 days after `created_at`."""

    id = fields.String(required=True)
    created_at = InstantField(required=True)
    last_seen_at = InstantField(required=True, doc="Time of last use, accurate to an hour.")
    expires_at = InstantField(required=True)
    user_agent = fields.String(required=True, allow_none=True, metadata=described("The User-Agent header at sign-in."))
    current = fields.Boolean(required=True, metadata=described("Whether it is the session of this request."))


class SessionsOut(ResponseSchema):
    """The current user's sessions, most recently used first."""

    items = fields.List(fields.Nested(SessionOut), required=True)


class TokenIn(BaseSchema):
    """The properties of a new access token.

    Each scope includes the scopes before it in the order `read`, `submit`, `organise`, `admin`. Only moderators and
    administrators may use `admin`. Each use of the token is checked against the present role and teams of the member.
    If the member is promoted to a higher role, the token keeps the permissions of the former role.
    """

    name = SingleLine(100, required=True)
    scopes = ListField(EnumField(Scope), least=1, limit=len(Scope), required=True)
    events = ListField(
        Slug(),
        least=1,
        allow_none=True,
        load_default=None,
        metadata=described("The only events for which the token has the permissions of an organiser or reviewer."),
    )
    expires_at = InstantField(
        allow_none=True, load_default=None, doc="At most a year from now. The default is 90 days from now."
    )


class TokenOut(ResponseSchema):
    """An access token without its secret value."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    scopes = fields.List(EnumField(Scope), required=True)
    events = fields.List(
        fields.String(),
        required=True,
        allow_none=True,
        metadata=described("The events to which the permissions of an organiser are restricted, or null."),
    )
    expires_at = InstantField(required=True)
    created_at = InstantField(required=True)
    last_used_at = InstantField(required=True, allow_none=True, doc="Time of last use, accurate to an hour.")


class NewTokenOut(TokenOut):
    """A new access token with its secret value.

    `token` is returned only once, and is null in a response that is replayed for an Idempotency-Key.
    """

    token = fields.String(required=True, allow_none=True)


class FeedIn(BaseSchema):
    """A new secret feed. Use a separate secret feed for each device."""

    name = SingleLine(100, required=True)


class FeedOut(ResponseSchema):
    """A secret feed. `url` is returned only by the POST request that creates the feed, and is otherwise null."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    url = fields.String(required=True, allow_none=True, metadata=URI)
    last_fetched_at = InstantField(required=True, allow_none=True)


class RegisterIn(BaseSchema):
    """A new member."""

    email = EmailField(required=True)
    password = NewPasswordField(required=True, load_only=True)
    name = SingleLine(200, required=True)


class RegisteredOut(BaseSchema):
    """A registered member. `confirmed` is false until the member follows the link in the confirmation email."""

    email = fields.String(required=True)
    name = fields.String(required=True)
    confirmed = fields.Boolean(required=True)


class LoginIn(BaseSchema):
    """Credentials for signing in. Members with an authenticator app must also send a `code`."""

    email = MultiLine(_LONGEST_INPUT, required=True)
    password = PasswordField(required=True, load_only=True)
    code = MultiLine(_LONGEST_CODE, load_only=True, metadata=described("The code in the app, or a recovery code."))


class CodeIn(BaseSchema):
    """A code from an authenticator app, or a recovery code."""

    code = SingleLine(_LONGEST_CODE, required=True)


class ProofIn(BaseSchema):
    """The password or a second-factor code of the current user."""

    proof = MultiLine(_LONGEST_INPUT, required=True, load_only=True)


class PasskeyIn(BaseSchema):
    """The name of a new passkey, and the browser's WebAuthn response."""

    name = SingleLine(100, required=True)
    answer = MultiLine(100_000, required=True)


class SignedInOut(BaseSchema):
    """The member who signed in, and the CSRF token to send as X-CSRF-Token with unsafe requests."""

    member = NestedField(MemberOut, required=True)
    csrf_token = fields.String(required=True)


class ConfirmIn(BaseSchema):
    """A token from a confirmation email, or the email address to which a new confirmation email is sent.

    With `token`, send the session cookie of the account, or its `password`, or a `new_password`.
    """

    extra_json_schema: ClassVar[Mapping[str, Any]] = {
        "if": {"required": ["token"]},
        "then": {"not": {"required": ["email"]}},
        "else": {"required": ["email"]},
    }

    token = MultiLine(_LONGEST_TOKEN)
    email = EmailField()
    password = PasswordField(load_only=True)
    new_password = NewPasswordField(load_only=True)

    @validates_schema
    def check_token_or_email(self, data: dict[str, Any], **_: object) -> None:
        if ("token" in data) is ("email" in data):
            raise ValidationError(Message("must contain either `token` or `email`"), "token")
        if "password" in data and "new_password" in data:
            raise ValidationError(Message("cannot be combined with `password`; send one of them"), "new_password")


class ConfirmedOut(BaseSchema):
    """The result of confirming an email address."""

    confirmed = fields.Boolean(required=True)


class MailedOut(BaseSchema):
    """A confirmation that an email is sent if the email address is known.

    The response is the same for known and unknown email addresses.
    """

    detail = fields.String(required=True)


class ResetIn(BaseSchema):
    """The email address to which a password reset link is sent."""

    email = EmailField(required=True)


class ResetConfirmIn(BaseSchema):
    """A token from a password reset email, and the new password."""

    token = MultiLine(_LONGEST_TOKEN, required=True)
    password = NewPasswordField(required=True, load_only=True)


class OwnPasswordIn(BaseSchema):
    """The current user's password, which is required for irreversible actions."""

    password = PasswordField(required=True, load_only=True)


class PasswordIn(OwnPasswordIn):
    """The current user's password and the new password."""

    new_password = NewPasswordField(required=True, load_only=True)
    revoke_tokens = BoolField(load_default=False, metadata=described("Whether to revoke all access tokens as well."))
