"""Enumerations of the roles of members and the scopes of access tokens."""

from enum import StrEnum


class Role(StrEnum):
    """The role of a member. Each role includes the permissions of the roles listed before it."""

    MEMBER = "member"
    MODERATOR = "moderator"
    ADMIN = "admin"


class Scope(StrEnum):
    """The scope of an access token. Each scope includes the scopes listed before it."""

    READ = "read"
    SUBMIT = "submit"
    ORGANISE = "organise"
    ADMIN = "admin"
