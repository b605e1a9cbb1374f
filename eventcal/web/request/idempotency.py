"""The Idempotency-Key header, with which a POST request that is repeated within a day returns the stored response.

The response is stored in the transaction of the request, so that the response is not lost if the process crashes after
the commit. A concurrent request with the same key is rejected in the same worker. In another worker, it waits for the
write lock and finds the stored response. Error responses are not stored, so that failed requests can be retried.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import Any, cast

import orjson
from flask import Response, abort, current_app, g, request
from sqlalchemy import delete
from sqlalchemy.orm import Session

from eventcal.kit.errors import FieldError, Invalid, Message, Overloaded
from eventcal.kit.ids import hash_secret
from eventcal.members.errors import IdempotencyKeyReused
from eventcal.members.models import IdempotencyRecord
from eventcal.members.service import IDEMPOTENCY_RETENTION, find_idempotency_record
from eventcal.web.http.errors import RequestInProgress
from eventcal.web.request.context import now, services, unit_of_work

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"

_KEY_PATTERN = re.compile(r"[\x21-\x7e]{1,255}")
_EXCLUDED_BLUEPRINTS = frozenset({"auth", "pages"})
_KEY_ERROR = FieldError(f"?{KEY_HEADER}", Message("must consist of 1 to 255 visible ASCII characters"))
_IN_PROGRESS = Message(
    "The first request with this key is still in progress. Repeat the request later to get its response."
)


class IdempotentRequestInProgress(RequestInProgress):
    """The first request with the same Idempotency-Key is still being processed."""

    code = "idempotency-in-progress"
    title = Message("First request in progress")


def is_idempotent_request() -> bool:
    """Return whether this is a POST request whose Idempotency-Key is not ignored.

    Idempotency keys of authentication requests and page requests are ignored, because responses can contain secrets.
    """
    return request.method == "POST" and KEY_HEADER in request.headers and request.blueprint not in _EXCLUDED_BLUEPRINTS


def replay_or_execute(view: Callable[[], Any], *, member_id: str) -> Response:
    """Return the stored response for the Idempotency-Key, or call the view and store its response.

    Raises Invalid for a malformed key, IdempotencyKeyReused if the key was used for a different request,
    IdempotentRequestInProgress if the first request is still being processed, and the same errors as `unit_of_work`.
    """
    key = request.headers[KEY_HEADER]
    if _KEY_PATTERN.fullmatch(key) is None:
        raise Invalid(errors=[_KEY_ERROR])
    # The body is read before the write lock is acquired, so that a slow connection does not block other requests.
    parts = (request.method.encode(), request.full_path.encode(), request.get_data(cache=True))
    fingerprint = hashlib.sha256(b"\0".join(parts)).hexdigest()
    with _hold_key(f"{member_id} {key}"), unit_of_work() as session:
        _delete_expired(session)
        kept = find_idempotency_record(session, member_id, key)
        if kept is not None:
            return _replayed_response(kept, fingerprint)
        answer = current_app.make_response(view())
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            # `abort(response)` rolls back the transaction, and Flask sends the response.
            abort(answer)
        session.add(_build_record(answer, member_id=member_id, key=key, fingerprint=fingerprint))
        return answer


@contextmanager
def _hold_key(key: str) -> Iterator[None]:
    """Keep other requests with the key from being processed. Raises IdempotentRequestInProgress if one is processed."""
    with ExitStack() as slot:
        try:
            slot.enter_context(services().idempotency_keys.slot(key))
        except Overloaded as error:
            raise IdempotentRequestInProgress(_IN_PROGRESS, retry_after=error.retry_after) from error
        yield


def claim_form_token(session: Session, form_key: str, *, member_id: str) -> bool:
    """Record a form submission, and return whether no form with the same key was submitted within the last day."""
    _delete_expired(session)
    # The stored key contains a space, so it cannot be equal to an Idempotency-Key.
    key = f"form {hash_secret(form_key)}"
    if find_idempotency_record(session, member_id, key) is not None:
        return False
    fingerprint = hash_secret(key)
    session.add(
        IdempotencyRecord(
            member_id=member_id, key=key, fingerprint=fingerprint, status=HTTPStatus.CREATED, body="", created_at=now()
        )
    )
    session.flush()
    return True


def redact_in_replay(*fields: str) -> None:
    """Replace the fields with null in the stored response, so that a repeated request does not return a secret."""
    g.shown_once = fields


def _delete_expired(session: Session) -> None:
    session.execute(delete(IdempotencyRecord).where(IdempotencyRecord.created_at < now() - IDEMPOTENCY_RETENTION))


def _replayed_response(record: IdempotencyRecord, fingerprint: str) -> Response:
    if record.fingerprint != fingerprint:
        raise IdempotencyKeyReused(Message("This key was used for a different request. Use a new key."))
    answer = Response(record.body, status=record.status, mimetype="application/json" if record.body else None)
    headers = {"Location": record.location, "ETag": record.etag, "Cache-Control": "no-store", REPLAYED_HEADER: "true"}
    answer.headers.update({name: value for name, value in headers.items() if value is not None})
    return answer


def _build_record(response: Response, *, member_id: str, key: str, fingerprint: str) -> IdempotencyRecord:
    secret_fields = cast("Iterable[str]", g.pop("shown_once", ()))
    body = response.get_data(as_text=True)
    if secret_fields:
        body = orjson.dumps({**orjson.loads(body), **dict.fromkeys(secret_fields)}).decode()
    return IdempotencyRecord(
        member_id=member_id,
        key=key,
        fingerprint=fingerprint,
        status=response.status_code,
        location=response.headers.get("Location"),
        etag=response.headers.get("ETag"),
        body=body,
        created_at=now(),
    )
