"""The second factor when signing in: a code after the password, and the pending session between the two."""

from eventcal.kit.refusals import Sentence
from eventcal.members.errors import SecondFactorNeeded
from eventcal.members.factors import Authenticator, find_totp, use_code
from eventcal.members.models import Member
from eventcal.web.request import rate_limits, sessions
from eventcal.web.request.context import now, reading, settings, unit_of_work


def authenticator() -> Authenticator:
    """Return what makes and reads the secrets of authenticator apps on this installation."""
    return Authenticator(settings().secret_key, settings().name)


def needs_code(found: Member) -> bool:
    """Say whether this member's password is not enough."""
    with reading() as reader:
        return find_totp(reader, found.id) is not None


def check_code(found: Member, code: str) -> None:
    """Use up a code of the member's app, or a recovery code of theirs. Raises CodeRefused, TooMany."""
    rate_limits.count_code(found.id)
    with unit_of_work() as unit:
        use_code(unit, found, code, authenticator(), now=now())


def check_second_factor(found: Member, code: str | None) -> None:
    """Refuse whoever gave the right password and nothing else, where a code is needed.

    Raises SecondFactorNeeded, CodeRefused, TooMany.
    """
    if not needs_code(found):
        return
    if code is None:
        raise SecondFactorNeeded(
            Sentence("Send the code that your authenticator app shows, or a recovery code, as `code`.")
        )
    check_code(found, code)


def find_pending() -> Member | None:
    """Return the member whose password this browser gave within the last minutes, while that password is theirs."""
    stored = sessions.find_stored()
    return stored.member if stored is not None and stored.row.pending else None
