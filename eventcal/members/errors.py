"""Errors raised for members, and for authentication and authorisation."""

from eventcal.kit.errors import Conflict, Forbidden, Invalid, Message, Unauthenticated


class NotSignedIn(Unauthenticated):
    """The request requires a signed-in member."""

    code = "not-signed-in"


class InvalidCredentials(Unauthenticated):
    """The email or the password is wrong. The error does not reveal which."""

    code = "sign-in-refused"
    title = Message("Address and password do not fit")


class SecondFactorRequired(Unauthenticated):
    """Email and password are correct, but the member also has to enter a code."""

    code = "second-factor-needed"
    title = Message("A code is needed, too")


class InvalidCode(Unauthenticated):
    """The code is wrong, expired, or was used before."""

    code = "code-refused"
    title = Message("This code is no good")


class InvalidPasskey(Unauthenticated):
    """The passkey could not be verified. The error does not reveal the reason."""

    code = "passkey-refused"
    title = Message("This passkey was not taken")


class InvalidToken(Unauthenticated):
    """The access token is unknown, revoked or expired."""

    code = "invalid-token"
    title = Message("This token is no good")


class InsufficientScope(Forbidden):
    """The scopes of the access token do not allow the request, regardless of the member's permissions."""

    code = "insufficient-scope"
    title = Message("The token does not reach this far")


class CsrfFailed(Forbidden):
    """A request authenticated by a cookie has no valid CSRF token."""

    code = "csrf"
    title = Message("Sent by somebody else")


class EmailNotConfirmed(Forbidden):
    """The member has not confirmed their email."""

    code = "not-confirmed"
    title = Message("Confirm your address first")


class DuplicateEmail(Conflict):
    """An account with this email exists."""

    code = "address-taken"
    title = Message("This address has an account")


class SecondFactorAlreadyEnabled(Conflict):
    """The member has already set up an authenticator app."""

    code = "second-factor-on"
    title = Message("There is an app already")


class DuplicatePasskey(Conflict):
    """The passkey is already registered to a member."""

    code = "passkey-known"
    title = Message("This passkey is known")


class InvalidEmailToken(Invalid):
    """The emailed token is invalid, used or expired."""

    code = "token-refused"
    title = Message("This link is no longer good")


class IdempotencyKeyReused(Invalid):
    """An Idempotency-Key was sent again with a different request."""

    code = "idempotency-key-reused"
    title = Message("This key belongs to another request")
