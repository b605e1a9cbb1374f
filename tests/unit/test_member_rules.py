"""The duties of a member and the scopes that are useful for their tokens."""

import pytest

from eventcal.members.caller import ANONYMOUS, Caller
from eventcal.members.enums import Role, Scope
from eventcal.members.rules import grantable_scopes

ORDINARY_MEMBER = Caller(member_id="x", role=Role.MEMBER)


@pytest.mark.parametrize(
    ("caller", "has_duties", "widest"),
    [
        (ORDINARY_MEMBER, False, Scope.ORGANISE),
        (Caller(member_id="x", role=Role.MEMBER, reviewed_event_ids=frozenset({"e"})), True, Scope.ORGANISE),
        (Caller(member_id="x", role=Role.MEMBER, organised_event_ids=frozenset({"e"})), True, Scope.ORGANISE),
        (Caller(member_id="x", role=Role.MODERATOR), True, Scope.ADMIN),
        (Caller(member_id="x", role=Role.ADMIN), True, Scope.ADMIN),
    ],
)
def test_grantable_token_scopes_depend_on_the_role_of_the_member(
    caller: Caller, *, has_duties: bool, widest: Scope
) -> None:
    assert caller.is_team_member_or_moderator is has_duties
    scopes = list(Scope)
    assert grantable_scopes(caller) == tuple(scopes[: scopes.index(widest) + 1])


def test_anonymous_visitor_has_no_duties() -> None:
    assert not ANONYMOUS.is_team_member_or_moderator
