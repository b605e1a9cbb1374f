"""What members refuse, and what is refused to whoever is not one."""

from eventcal.kit.refusals import Conflict, Forbidden, Invalid, NotFound, Unauthenticated


class NotSignedIn(Unauthenticated):
    """A member is needed and nobody is signed in."""

    code = "not-signed-in"


class SignInRefused(Unauthenticated):
    """Address and password do not belong together; which of them is wrong is not said."""

    code = "sign-in-refused"
    title = "Address and password do not fit"


class InvalidToken(Unauthenticated):
    """The access token is none of ours, was revoked, or is too old."""

    code = "invalid-token"
    title = "This token is no good"


class InsufficientScope(Forbidden):
    """The access token does not reach this far, whatever its member may do."""

    code = "insufficient-scope"
    title = "The token does not reach this far"


class CsrfRefused(Forbidden):
    """The cookie came without the token that shows that our own page sent it."""

    code = "csrf"
    title = "Sent by somebody else"


class NotConfirmed(Forbidden):
    """The member has not shown yet that the address is theirs."""

    code = "not-confirmed"
    title = "Confirm your address first"


class AddressTaken(Conflict):
    """Somebody has an account with this address."""

    code = "address-taken"
    title = "This address has an account"


class MailedTokenRefused(Invalid):
    """The mailed token is none of ours, was used, or is too old."""

    code = "token-refused"
    title = "This link is no longer good"


class KeyReused(Invalid):
    """An Idempotency-Key came a second time, with another request."""

    code = "idempotency-key-reused"
    title = "This key belongs to another request"


class NoSuchToken(NotFound):
    """No access token of the member's has this id."""

    def __init__(self, token_id: str) -> None:
        super().__init__(f"You have no token “{token_id}”.")


class NoSuchFeed(NotFound):
    """No secret feed of the member's has this id."""

    def __init__(self, feed_id: str) -> None:
        super().__init__(f"You have no feed “{feed_id}”.")


class NoSuchMember(NotFound):
    """No member by this id or address."""
