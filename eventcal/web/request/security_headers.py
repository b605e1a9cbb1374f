"""Security headers, which every response has. Cached responses are stored together with these headers."""

from flask import Flask, Response

from eventcal.web.request.context import settings

DEFAULT_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of all responses that are not HTML pages."""


def security_headers(policy: str = DEFAULT_POLICY) -> tuple[tuple[str, str], ...]:
    """Return the security headers. `policy` is the Content-Security-Policy."""
    return (
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "strict-origin-when-cross-origin"),
        *([("Strict-Transport-Security", "max-age=31536000")] if settings().is_https else []),
    )


def register_security_headers(app: Flask) -> None:
    """Add the security headers to all responses of the app, including error responses."""

    @app.after_request
    def add_security_headers(response: Response) -> Response:
        for name, value in security_headers():
            response.headers.setdefault(name, value)
        return response
