"""The second factor: a code after the password when signing in, and a new authenticator app."""

from datetime import timedelta

from eventcal.kit.refusals import Sentence
from eventcal.members.errors import SecondFactorNeeded
from eventcal.members.factors import find_totp, use_code
from eventcal.members.models import Member
from eventcal.members.totp import Authenticator
from eventcal.web.identity import passwords
from eventcal.web.identity.current_user import current_member_id
from eventcal.web.request import rate_limits, sessions
from eventcal.web.request.context import now, reading, settings, unit_of_work

_NEW = "new_totp"
_NEW_FOR = timedelta(hours=1)


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


def check_proof(found: Member, typed: str) -> None:
    """Refuse what is neither the member's password nor a code of theirs. Raises CodeRefused, TooMany."""
    rate_limits.count_code(found.id)
    if not passwords.matches(typed, found.password):
        with unit_of_work() as unit:
            use_code(unit, found, typed, authenticator(), now=now())


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


def new_secret() -> str:
    """Return the secret, sealed, that is to be set up in this session: the one shown before, while it is young."""
    sealed = find_new_secret()
    if sealed is None:
        sealed = authenticator().new_secret()
        sessions.note(_NEW, sealed=sealed)
    return sealed


def find_new_secret() -> str | None:
    """Return the secret, sealed, that was last shown to be set up; None where that is long ago."""
    state = sessions.find_note(_NEW, within=_NEW_FOR)
    return None if state is None else str(state["sealed"])


def forget_new_secret() -> None:
    """Forget the secret that was shown: it is the member's now."""
    sessions.forget_note(_NEW)


def find_first_counter(sealed: str, code: str) -> int | None:
    """Return the step of the first code of an app that was just set up; None for a wrong code. Raises TooMany."""
    rate_limits.count_code(current_member_id())
    return authenticator().find_counter(sealed, code, now=now())
