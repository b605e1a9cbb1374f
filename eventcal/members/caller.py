"""The caller of a request, with the permissions that queries and services check."""

from dataclasses import dataclass, field, replace

from eventcal.members.enums import Role, Scope


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The person or program that makes a request.

    `member_id` is None for anonymous callers and for the command line. `role` is None for anonymous callers.
    `scopes` contains the scopes of the access token, or is None for requests without an access token.
    """

    member_id: str | None = None
    role: Role | None = None
    organised_event_ids: frozenset[str] = field(default_factory=frozenset)
    reviewed_event_ids: frozenset[str] = field(default_factory=frozenset)
    scopes: frozenset[Scope] | None = None
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

    def as_plain_member(self) -> "Caller":
        """Return the caller without the permissions of site-wide roles and of event teams."""
        return replace(self, role=Role.MEMBER, organised_event_ids=frozenset(), reviewed_event_ids=frozenset())


ANONYMOUS = Caller()
# Command-line tools have the permissions of an administrator.
OPERATOR = Caller(role=Role.ADMIN)
