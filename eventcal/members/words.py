"""The words that a member's fields may hold."""

from enum import StrEnum


class Role(StrEnum):
    """What a member is on the whole site. Each holds what the ones before it hold."""

    MEMBER = "member"
    MODERATOR = "moderator"
    ADMIN = "admin"


class Scope(StrEnum):
    """What a token may be used for. Each holds what the ones before it hold."""

    READ = "read"
    SUBMIT = "submit"
    ORGANISE = "organise"
    ADMIN = "admin"
