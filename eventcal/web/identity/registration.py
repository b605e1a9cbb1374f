"""Making an account: what the API and the page do alike."""

from eventcal.members.errors import AddressTaken
from eventcal.members.queries import find_member_by_email
from eventcal.members.service import add_member
from eventcal.web.identity import passwords
from eventcal.web.identity.current_user import is_confirmed
from eventcal.web.request.context import now, settings, unit_of_work
from eventcal.web.request.rate_limits import count_mail


def register_member(*, email: str, password: str, name: str) -> bool:
    """Register a member; `password` in its normal form. Returns whether their address counts as confirmed already.

    Where mail is sent, an address that has an account is treated the same, and its owner is told. Else: AddressTaken.
    """
    password_hash = passwords.hashed(password)
    sends_mail = settings().mail_url is not None
    with unit_of_work() as session:
        try:
            new = add_member(session, email=email, name=name, password_hash=password_hash, now=now())
        except AddressTaken:
            owner = find_member_by_email(session, email)
            if owner is None or not sends_mail:
                raise
            passwords.mail_account_exists(session, owner, now=now())
        else:
            passwords.mail_confirmation(session, new, now=now())
    return not sends_mail


def mail_reset_to(address: str) -> None:
    """Have the way to a new password mailed; an unknown address costs the same. Raises TooMany."""
    count_mail(address)
    with unit_of_work() as session:
        found = find_member_by_email(session, address)
        if found is not None and found.active:
            passwords.mail_reset(session, found, now=now())
        else:
            passwords.mail_nobody(session, now=now())


def mail_confirmation_to(address: str) -> None:
    """Have the way to confirm this address mailed again; an unknown or confirmed one costs the same. Raises TooMany."""
    count_mail(address)
    with unit_of_work() as session:
        found = find_member_by_email(session, address)
        if found is not None and found.active and not is_confirmed(found):
            passwords.mail_confirmation(session, found, now=now())
        else:
            passwords.mail_nobody(session, now=now())
