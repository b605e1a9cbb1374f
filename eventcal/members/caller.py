"""Who asks, and what they are: known once per request, handed to every query and use case."""

from dataclasses import dataclass, field

from eventcal.members.words import Role, Scope

_SCOPE_ORDER = tuple(Scope)


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Somebody at the door.

    member_id: None for a visitor and for the command line.
    role: None for a visitor.
    organises, reviews: ids of the events whose team they are on (an organiser also reviews).
    scopes: what the token in use allows; None without a token, when everything the role allows is.
    """

    member_id: str | None = None
    role: Role | None = None
    organises: frozenset[str] = field(default_factory=frozenset)
    reviews: frozenset[str] = field(default_factory=frozenset)
    scopes: frozenset[Scope] | None = None
    confirmed: bool = True

    @property
    def signed_in(self) -> bool:
        """Say whether this is somebody we know."""
        return self.role is not None

    @property
    def moderates(self) -> bool:
        """Say whether the whole site is in their care."""
        return self.role in {Role.MODERATOR, Role.ADMIN}

    @property
    def has_duties(self) -> bool:
        """Say whether they organise, review or moderate anything."""
        return self.moderates or bool(self.organises or self.reviews)

    def may_organise(self, event_id: str) -> bool:
        """Say whether they decide for this event."""
        return self.moderates or event_id in self.organises

    def may_review(self, event_id: str) -> bool:
        """Say whether they see what was submitted to this event."""
        return self.may_organise(event_id) or event_id in self.reviews

    def holds(self, scope: Scope) -> bool:
        """Say whether their token, if they came with one, reaches this far. A wider scope holds the narrower."""
        order = _SCOPE_ORDER.index
        return self.scopes is None or any(order(held) >= order(scope) for held in self.scopes)


VISITOR = Caller()
# The command line acts for whoever runs the machine.
OPERATOR = Caller(role=Role.ADMIN)
