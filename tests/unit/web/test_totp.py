from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from eventcal.members.authentication_factors import TotpAuthenticator
from tests.clocks import NOON, FixedClock
from tests.second_factors import AuthenticatorApp

AUTHENTICATOR = TotpAuthenticator("k" * 40, "eventcal")


def test_code_matches_the_counter_of_its_30_second_period() -> None:
    sealed = AUTHENTICATOR.new_encrypted_secret()
    code = AuthenticatorApp(AUTHENTICATOR.format_secret(sealed), FixedClock()).current_code()
    assert AUTHENTICATOR.find_time_step(sealed, code, now=NOON) == int(NOON.timestamp()) // 30


def test_codes_match_the_test_vectors_of_rfc_6238() -> None:
    # Appendix B, SHA-1: the last six of the eight digits.
    app = AuthenticatorApp(
        "GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ", FixedClock(datetime(2005, 3, 18, 1, 58, 29, tzinfo=UTC))
    )
    assert app.current_code() == "081804"


def test_code_at_or_before_the_last_used_counter_is_rejected() -> None:
    sealed = AUTHENTICATOR.new_encrypted_secret()
    code = AuthenticatorApp(AUTHENTICATOR.format_secret(sealed), FixedClock()).current_code()
    counter = AUTHENTICATOR.find_time_step(sealed, code, now=NOON)
    assert counter is not None
    assert AUTHENTICATOR.find_time_step(sealed, code, now=NOON, last_time_step=counter - 1) == counter
    assert AUTHENTICATOR.find_time_step(sealed, code, now=NOON, last_time_step=counter) is None
    assert AUTHENTICATOR.find_time_step(sealed, code, now=NOON, last_time_step=counter + 1) is None


def test_sealed_secret_differs_under_another_key() -> None:
    sealed = AUTHENTICATOR.new_encrypted_secret()
    assert TotpAuthenticator("j" * 40, "eventcal").format_secret(sealed) != AUTHENTICATOR.format_secret(sealed)


@pytest.mark.parametrize(
    ("calendar", "member"), [("Xen: talks", '"a:b"@example.org'), ("Zürich & Köln?", "ä@example.org")]
)
def test_provisioning_uri_is_valid_for_any_calendar_and_member_name(calendar: str, member: str) -> None:
    ours = TotpAuthenticator("k" * 40, calendar)
    sealed = ours.new_encrypted_secret()
    address = urlsplit(ours.build_otpauth_uri(sealed, account_name=member))
    issuer, shown = calendar.replace(":", " "), member.replace(":", " ")
    assert (address.scheme, address.netloc, unquote(address.path)) == ("otpauth", "totp", f"/{issuer}:{shown}")
    assert parse_qs(address.query) == {"issuer": [issuer], "secret": [ours.format_secret(sealed).replace("-", "")]}
