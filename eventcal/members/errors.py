"""Errors raised for members, authentication and authorisation."""

from eventcal.kit.errors import Conflict, Forbidden, Invalid, Message, Unauthenticated


class NotSignedIn(Unauthenticated):
    """The request requires a signed-in member."""

    code = "not-signed-in"


class InvalidCredentials(Unauthenticated):
    """Either the email address or the password is wrong, and the error does not reveal which."""

    code = "sign-in-refused"
    title = Message("Sign-in failed")


class SecondFactorRequired(Unauthenticated):
    """The email address and password are correct, but a second factor is required."""

    code = "second-factor-needed"
    title = Message("Code required")


class InvalidCode(Unauthenticated):
    """The authentication code is wrong, expired or already used."""

    code = "code-refused"
    title = Message("Invalid code")


class InvalidPasskey(Unauthenticated):
    """The passkey could not be verified, for a reason that the error does not reveal."""

    code = "passkey-refused"
    title = Message("Invalid passkey")


class InvalidToken(Unauthenticated):
    """The access token is unknown, revoked or expired."""

    code = "invalid-token"
    title = Message("Invalid token")


class InsufficientScope(Forbidden):
    """The access token does not have the required scope."""

    code = "insufficient-scope"
    title = Message("Insufficient scope")


class CsrfFailed(Forbidden):
    """A cookie-authenticated request has no valid CSRF token."""

    code = "csrf"
    title = Message("CSRF check failed")


class EmailNotConfirmed(Forbidden):
    """The member has not confirmed their email address."""

    code = "not-confirmed"
    title = Message("Email address not confirmed")


class RegistrationClosed(Forbidden):
    """Registration is closed."""

    code = "registration-closed"
    title = Message("Registration closed")


class NotInvited(Forbidden):
    """Only addresses with an open invitation may register."""

    code = "not-invited"
    title = Message("Invitation required")


class DuplicateEmail(Conflict):
    """An account with this email address already exists."""

    code = "address-taken"
    title = Message("Account already exists")


class QuotaExceeded(Conflict):
    """The member already has the maximum number of objects of this kind."""

    code = "quota-exceeded"
    title = Message("Quota exceeded")


class SecondFactorAlreadyEnabled(Conflict):
    """The member has already set up an authenticator app."""

    code = "second-factor-on"
    title = Message("Second factor already enabled")


class DuplicatePasskey(Conflict):
    """The passkey is already registered."""

    code = "passkey-known"
    title = Message("Passkey already registered")


class InvalidEmailToken(Invalid):
    """The emailed token is invalid, expired or already used."""

    code = "token-refused"
    title = Message("Invalid or expired link")


class IdempotencyKeyReused(Invalid):
    """An Idempotency-Key was reused for a different request."""

    code = "idempotency-key-reused"
    title = Message("Idempotency key reused")
