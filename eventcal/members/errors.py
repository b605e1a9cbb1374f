"""Errors raised for members, authentication and authorisation."""

from eventcal.kit.errors import Conflict, Forbidden, Invalid, Message, Unauthenticated


class NotSignedIn(Unauthenticated):
    """The request requires a signed-in member."""

    code = "not-signed-in"


class InvalidCredentials(Unauthenticated):
    """The email or the password is wrong, and the error does not reveal which."""

    code = "sign-in-refused"
    title = Message("Address and password do not fit")


class SecondFactorRequired(Unauthenticated):
    """The email and password are correct, but a second factor is required."""

    code = "second-factor-needed"
    title = Message("A code is needed, too")


class InvalidCode(Unauthenticated):
    """The code is wrong, expired or already used."""

    code = "code-refused"
    title = Message("This code is no good")


class InvalidPasskey(Unauthenticated):
    """The passkey could not be verified, for a reason that is not revealed."""

    code = "passkey-refused"
    title = Message("This passkey was not taken")


class InvalidToken(Unauthenticated):
    """The access token is unknown, revoked or expired."""

    code = "invalid-token"
    title = Message("This token is no good")


class InsufficientScope(Forbidden):
    """The access token does not have the required scope."""

    code = "insufficient-scope"
    title = Message("The token does not reach this far")


class CsrfFailed(Forbidden):
    """A cookie-authenticated request has no valid CSRF token."""

    code = "csrf"
    title = Message("Sent by somebody else")


class EmailNotConfirmed(Forbidden):
    """The member has not confirmed their email."""

    code = "not-confirmed"
    title = Message("Confirm your address first")


class DuplicateEmail(Conflict):
    """An account with this email already exists."""

    code = "address-taken"
    title = Message("This address has an account")


class SecondFactorAlreadyEnabled(Conflict):
    """The member has already set up an authenticator app."""

    code = "second-factor-on"
    title = Message("There is an app already")


class DuplicatePasskey(Conflict):
    """The passkey is already registered."""

    code = "passkey-known"
    title = Message("This passkey is known")


class InvalidEmailToken(Invalid):
    """The emailed token is invalid, expired or already used."""

    code = "token-refused"
    title = Message("This link is no longer good")


class IdempotencyKeyReused(Invalid):
    """An Idempotency-Key was reused for a different request."""

    code = "idempotency-key-reused"
    title = Message("This key belongs to another request")
