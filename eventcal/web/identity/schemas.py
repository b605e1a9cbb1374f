"""The shapes of what /auth takes and gives; every fault of every field at once."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from eventcal.kit.refusals import Sentence
from eventcal.web.identity import passwords
from eventcal.web.schemas.fields import Address, Line, Part, Shape, Text
from eventcal.web.schemas.me import MemberOut

_LONGEST_INPUT = 1000
_LONGEST_TOKEN = 2000
_LONGEST_CODE = 100
_LONGEST_ANSWER = 100_000


class NewPassword(Text):
    """A password that may be set, handed on in its normal form."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - marshmallow's own settings
        documented = {"format": "password", "minLength": 8, "maxLength": 128}
        super().__init__(_LONGEST_INPUT, load_only=True, metadata=documented, **settings)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ANN401 - marshmallow's signature
        faults, normal = passwords.check_new_password(super()._deserialize(value, attr, data, **kwargs))
        if faults:
            raise ValidationError(faults)
        return normal


class Password(Text):
    """A password to compare; what it is worth is not the schema's business."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - marshmallow's own settings
        super().__init__(_LONGEST_INPUT, load_only=True, metadata={"format": "password"}, **settings)


class RegisterIn(Shape):
    """A new member."""

    email = Address(required=True)
    password = NewPassword(required=True)
    name = Line(200, required=True)


class RegisteredOut(Shape):
    """What was registered. `confirmed` is false while a mailed link waits to be followed."""

    email = fields.String(required=True)
    name = fields.String(required=True)
    confirmed = fields.Boolean(required=True)


class LoginIn(Shape):
    """An address and a password; a code too, for whoever has set up an authenticator app."""

    email = Text(_LONGEST_INPUT, required=True)
    password = Password(required=True)
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
    password = NewPassword(required=True)


class OwnPasswordIn(Shape):
    """The caller's password, for what cannot be undone."""

    password = Password(required=True)


class PasswordIn(OwnPasswordIn):
    """The caller's password and the new one."""

    new_password = NewPassword(required=True)
