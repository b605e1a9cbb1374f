"""Flask-Security, tied to our tables and kept to what it is good at: hashes, rules for passwords, signed tokens.

It adds no route, no command, no query and no header to a request; who is signed in is known in visitor.py.
"""

from datetime import timedelta
from typing import Any

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_security import RoleMixin, Security, UserDatastore, UserMixin, uia_email_mapper

from eventcal.config import Settings
from eventcal.kit.clock import Clock
from eventcal.members.models import Member
from eventcal.members.queries import find_active_member
from eventcal.web.identity.current_user import load_signed_in
from eventcal.web.identity.permissions import register_token_refusals
from eventcal.web.request.context import current_session, reading

LONGEST_VISIT = timedelta(days=14)
"""A session ends this long after its last visit."""

ARGON2_COST = {"argon2__memory_cost": 19456, "argon2__rounds": 2, "argon2__parallelism": 1}
"""OWASP's figures: 19 MiB, two passes; 40 ms, and a flood of sign-ins does not eat the memory."""

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 128
"""The second is the library's own."""

CONFIRM_WITHIN = timedelta(days=2)
RESET_WITHIN = timedelta(hours=1)


class MemberDatastore(UserDatastore):
    """Flask-Security's window on the members: always the session that is open, and never a commit."""

    def __init__(self) -> None:
        # There is no table of roles: a member's role is a column that our own access marks read. The library keeps
        # this class only for its role functions, none of which we offer.
        super().__init__(Member, RoleMixin)

    def put(self, model: UserMixin) -> UserMixin:
        """Add the row to the unit."""
        current_session().add(model)
        return model

    def delete(self, model: UserMixin) -> None:
        """Take the row out with the unit."""
        current_session().delete(model)

    def commit(self) -> None:
        """Write, and leave the end of the transaction to the unit of work."""
        current_session().flush()

    def find_user(self, case_insensitive: bool = False, **kwargs: Any) -> Member | None:  # noqa: ANN401, ARG002, FBT001, FBT002 - the library's signature
        """Return the active member whom a mailed token names; the library asks for nobody else."""
        with reading() as session:
            return find_active_member(session, kwargs["fs_uniquifier"])

    def find_role(self, role: str) -> None:
        """Return nothing: see __init__."""


def start_security(app: Flask, settings: Settings, clock: Clock) -> None:
    """Set up sign-in on `app`: the cookie, the library, and how a refused token is answered."""
    app.config.update(_cookie_config(settings))
    app.config.update(_library_config(clock))
    app.session_interface = _Sessions()
    security = Security(app, MemberDatastore(), register_blueprint=False)
    # Flask-Principal would load the signed-in member before every request, feeds included.
    security.principal.identity_loaders.clear()
    _drop(app.before_request_funcs, "_on_before_request")
    # Flask-Login would look at the session after every request, which makes every answer vary by cookie.
    _drop(app.after_request_funcs, "_update_remember_cookie")
    # Flask-Login would look up the member for every template, a public page's too. Ours get what they need by name.
    _drop(app.template_context_processors, "_user_context_processor")
    # The library's own auth tokens in query, header and body: we issue none, so nobody needs to look for one.
    security.login_manager.request_loader(None)
    security.login_manager.user_loader(load_signed_in)
    register_token_refusals(app)


class _Sessions(SecureCookieSessionInterface):
    """Flask's sessions; most requests have none, and nothing is made ready to read it then."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of the request's cookie, else a new one."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


def security_schemes(settings: Settings) -> dict[str, dict[str, str]]:
    """Return the OpenAPI security schemes that the access marks name."""
    return {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A personal access token. The scopes are read, submit, organise and admin; each holds "
            "what the ones before it hold.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie_name(settings),
            "description": "The session cookie. Unsafe calls also need the header X-CSRF-Token, with the csrf_token "
            "that signing in gave.",
        },
    }


def cookie_name(settings: Settings) -> str:
    """Return what the session cookie is called; __Host- demands Secure, Path=/ and no Domain."""
    return "__Host-eventcal" if settings.https else "eventcal"


def _cookie_config(settings: Settings) -> dict[str, object]:
    return {
        "SESSION_COOKIE_NAME": cookie_name(settings),
        "SESSION_COOKIE_SECURE": settings.https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "PERMANENT_SESSION_LIFETIME": LONGEST_VISIT,
        # Else every answer sets the cookie anew; visitor.py renews it once a day instead.
        "SESSION_REFRESH_EACH_REQUEST": False,
        # It hashes X-Forwarded-For and the browser's name into the session and rewrites it when they change.
        "SESSION_PROTECTION": None,
        # The CSRF token lives as long as the session that it belongs to.
        "WTF_CSRF_TIME_LIMIT": None,
    }


def _library_config(clock: Clock) -> dict[str, object]:
    return {
        # No double hash: its salt would be one more secret whose loss locks everybody out.
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_SINGLE_HASH": True,
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": dict(ARGON2_COST),
        "SECURITY_PASSWORD_LENGTH_MIN": SHORTEST_PASSWORD,
        # The default, sha256_crypt, needs 0.4 s for each mailed token; what it hides is only in the owner's mail.
        "SECURITY_HASHING_SCHEMES": ["hex_sha256"],
        "SECURITY_USER_IDENTITY_ATTRIBUTES": [{"email": {"mapper": uia_email_mapper, "case_insensitive": False}}],
        "SECURITY_CONFIRM_EMAIL_WITHIN": CONFIRM_WITHIN,
        "SECURITY_RESET_PASSWORD_WITHIN": RESET_WITHIN,
        "SECURITY_DATETIME_FACTORY": clock.now,
        "SECURITY_FLASH_MESSAGES": False,
        "SECURITY_CLI_USERS_NAME": None,
        "SECURITY_CLI_ROLES_NAME": None,
    }


def _drop(hooks: dict[str | None, list[Any]], name: str) -> None:
    """Take one hook of a library back; ValueError when a new release of it no longer has it."""
    [unwanted] = [hook for hook in hooks[None] if hook.__name__ == name]
    hooks[None].remove(unwanted)
