"""The caller of a request, with the permissions that queries and services check."""

from dataclasses import dataclass, field, replace
from typing import Self

from eventcal.members.enums import Role, Scope


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The person or program that makes a request.

    `member_id` is None for anonymous callers and for the command line. `role` is None for anonymous callers.
    `token_id` and `scopes` are the ID and the scopes of the access token, or None for requests without an access token.
    `lacks_second_factor` is true for moderators who have not set up the authenticator app that the site requires.
    """

    member_id: str | None = None
    role: Role | None = None
    organised_event_ids: frozenset[str] = field(default_factory=frozenset)
    reviewed_event_ids: frozenset[str] = field(default_factory=frozenset)
    token_id: str | None = None
    scopes: frozenset[Scope] | None = None
    lacks_second_factor: bool = False
    email_confirmed: bool = True

    @property
    def is_signed_in(self) -> bool:
        return self.role is not None

    @property
    def is_operator(self) -> bool:
        """Whether the caller is the command line."""
        return self.is_signed_in and self.member_id is None

    @property
    def is_moderator(self) -> bool:
        return self.role in {Role.MODERATOR, Role.ADMIN}

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN

    @property
    def is_team_member_or_moderator(self) -> bool:
        return self.is_moderator or bool(self.organised_event_ids or self.reviewed_event_ids)

    def can_organise(self, event_id: str) -> bool:
        return self.is_moderator or event_id in self.organised_event_ids

    def can_review(self, event_id: str) -> bool:
        return self.can_organise(event_id) or event_id in self.reviewed_event_ids

    def has_scope(self, scope: Scope) -> bool:
        """Return whether the access token grants this scope. Scopes restrict only requests with an access token."""
        order = list(Scope).index
        return self.scopes is None or any(order(held) >= order(scope) for held in self.scopes)

    def limit_role(self, role: Role) -> Self:
        """Return the caller with at most the permissions of this role."""
        return replace(self, role=min(role, self.role or Role.MEMBER, key=list(Role).index))

    def without_site_role(self) -> Self:
        """Return the caller without the permissions of moderators and administrators."""
        return replace(self, role=Role.MEMBER)

    def restrict_to_events(self, event_ids: frozenset[str]) -> Self:
        """Return the caller without a site-wide role, and with permissions for these events only."""
        return replace(
            self.without_site_role(),
            organised_event_ids=event_ids if self.is_moderator else self.organised_event_ids & event_ids,
            reviewed_event_ids=self.reviewed_event_ids & event_ids,
        )

    def as_plain_member(self) -> Self:
        """Return the caller without the permissions of site-wide roles and of event teams."""
        return replace(self, role=Role.MEMBER, organised_event_ids=frozenset(), reviewed_event_ids=frozenset())


ANONYMOUS = Caller()
# Command-line tools have the permissions of an administrator.
OPERATOR = Caller(role=Role.ADMIN)
