"""Enumerations of the values of member fields."""

from enum import StrEnum


class Role(StrEnum):
    """The role of a member on the site. Each role includes the ones before it."""

    MEMBER = "member"
    MODERATOR = "moderator"
    ADMIN = "admin"


class Scope(StrEnum):
    """The scope of an access token. Each scope includes the ones before it."""

    READ = "read"
    SUBMIT = "submit"
    ORGANISE = "organise"
    ADMIN = "admin"
