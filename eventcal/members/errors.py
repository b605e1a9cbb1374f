"""What members refuse, and what is refused to whoever is not one."""

from eventcal.kit.refusals import Conflict, Forbidden, Invalid, Sentence, Unauthenticated


class NotSignedIn(Unauthenticated):
    """A member is needed and nobody is signed in."""

    code = "not-signed-in"


class SignInRefused(Unauthenticated):
    """Address and password do not belong together; which of them is wrong is not said."""

    code = "sign-in-refused"
    title = Sentence("Address and password do not fit")


class SecondFactorNeeded(Unauthenticated):
    """Address and password fit, and this member's need a code, too."""

    code = "second-factor-needed"
    title = Sentence("A code is needed, too")


class CodeRefused(Unauthenticated):
    """The code is none of the member's, is too old, or was used before."""

    code = "code-refused"
    title = Sentence("This code is no good")


class PasskeyRefused(Unauthenticated):
    """What a device said of its passkey does not hold; why is not said."""

    code = "passkey-refused"
    title = Sentence("This passkey was not taken")


class InvalidToken(Unauthenticated):
    """The access token is none of ours, was revoked, or is too old."""

    code = "invalid-token"
    title = Sentence("This token is no good")


class InsufficientScope(Forbidden):
    """The access token does not reach this far, whatever its member may do."""

    code = "insufficient-scope"
    title = Sentence("The token does not reach this far")


class CsrfRefused(Forbidden):
    """The cookie came without the token that shows that our own page sent it."""

    code = "csrf"
    title = Sentence("Sent by somebody else")


class NotConfirmed(Forbidden):
    """The member has not shown yet that the address is theirs."""

    code = "not-confirmed"
    title = Sentence("Confirm your address first")


class AddressTaken(Conflict):
    """Somebody has an account with this address."""

    code = "address-taken"
    title = Sentence("This address has an account")


class SecondFactorOn(Conflict):
    """The member has set up an authenticator app already."""

    code = "second-factor-on"
    title = Sentence("There is an app already")


class PasskeyKnown(Conflict):
    """Somebody has this passkey already."""

    code = "passkey-known"
    title = Sentence("This passkey is known")


class MailedTokenRefused(Invalid):
    """The mailed token is none of ours, was used, or is too old."""

    code = "token-refused"
    title = Sentence("This link is no longer good")


class KeyReused(Invalid):
    """An Idempotency-Key came a second time, with another request."""

    code = "idempotency-key-reused"
    title = Sentence("This key belongs to another request")
