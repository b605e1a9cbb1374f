"""Idempotency-Key: a POST that is sent again within a day gets its first answer again, and nothing is done twice.

Status and body are made and kept inside the transaction that they tell of, so a crash between commit and answer
changes nothing. Writers follow one another: whoever comes with the same key meanwhile waits for the lock, and then
finds the answer. A refusal is not kept; the next try is a new one.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast

import orjson
from flask import Response, abort, current_app, g, request
from sqlalchemy import delete
from sqlalchemy.orm import Session

from eventcal.kit.ids import secret_hash
from eventcal.kit.refusals import Busy, Fault, Invalid, Sentence
from eventcal.members.errors import KeyReused
from eventcal.members.models import KeptAnswer
from eventcal.members.service import find_kept_answer
from eventcal.web.http.errors import UnderWay
from eventcal.web.request.context import now, unit_of_work

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT_FOR = timedelta(hours=24)

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_NOT_REPEATED = frozenset({"auth", "pages"})


class InProgress(UnderWay):
    """The first request with this key is being answered at this moment."""

    code = "idempotency-in-progress"
    title = Sentence("The first one is under way")


def is_asked_for() -> bool:
    """Say whether this request wants to be answered once.

    What signs people in and out is not repeated; nor is a page, which may show a secret: a form has a key of its own.
    """
    return request.method == "POST" and HEADER in request.headers and request.blueprint not in _NOT_REPEATED


def answer_once(view: Callable[[], Any], *, member_id: str) -> Response:
    """Return the view's answer, or the one that the same request was given with this key within a day.

    Raises Invalid for a key that is none, KeyReused for one that came with another request, InProgress.
    """
    key = request.headers[HEADER]
    if _KEY.fullmatch(key) is None:
        raise Invalid(faults=[Fault(f"?{HEADER}", Sentence("must be 1 to 255 visible ASCII characters"))])
    # The body is read before the lock is taken: nobody waits for a slow line.
    parts = (request.method.encode(), request.full_path.encode(), request.get_data(cache=True))
    fingerprint = hashlib.sha256(b"\0".join(parts)).hexdigest()
    try:
        with unit_of_work() as session:
            _forget_old(session)
            kept = find_kept_answer(session, member_id, key)
            if kept is not None:
                return _again(kept, fingerprint)
            answer = current_app.make_response(view())
            if answer.status_code >= HTTPStatus.BAD_REQUEST:
                # Undoes what the view did, and sends its answer.
                abort(answer)
            session.add(_kept(answer, member_id=member_id, key=key, fingerprint=fingerprint))
            return answer
    except Busy as busy:
        raise InProgress(
            Sentence("This is being done at this moment; ask again for its answer."), retry_after=5
        ) from busy


def is_first_time(session: Session, form_key: str, *, member_id: str) -> bool:
    """Say whether a page's form, by its key, has not been taken within a day, and note that it now is.

    Sent again by a reload, it must not make a second secret; the first was shown, and is not kept.
    """
    _forget_old(session)
    # Hashed, so that it fits whatever was sent; with a space, which no Idempotency-Key has.
    key = f"form {secret_hash(form_key)}"
    if find_kept_answer(session, member_id, key) is not None:
        return False
    fingerprint = secret_hash(key)
    session.add(
        KeptAnswer(
            member_id=member_id, key=key, fingerprint=fingerprint, status=HTTPStatus.CREATED, body="", kept_at=now()
        )
    )
    session.flush()
    return True


def show_once(*fields: str) -> None:
    """Keep these fields of the answer under way out of what is kept: a secret is shown once, a replay has null."""
    g.shown_once = fields


def _forget_old(session: Session) -> None:
    session.execute(delete(KeptAnswer).where(KeptAnswer.kept_at < now() - KEPT_FOR))


def _again(kept: KeptAnswer, fingerprint: str) -> Response:
    if kept.fingerprint != fingerprint:
        raise KeyReused(Sentence("This key came with another request; take a new one for a new request."))
    answer = Response(kept.body, status=kept.status, mimetype="application/json" if kept.body else None)
    headers = {"Location": kept.location, "ETag": kept.etag, "Cache-Control": "no-store", REPLAYED: "true"}
    answer.headers.update({name: value for name, value in headers.items() if value is not None})
    return answer


def _kept(answer: Response, *, member_id: str, key: str, fingerprint: str) -> KeptAnswer:
    secret = cast("Iterable[str]", g.pop("shown_once", ()))
    body = answer.get_data(as_text=True)
    if secret:
        body = orjson.dumps({**orjson.loads(body), **dict.fromkeys(secret)}).decode()
    return KeptAnswer(
        member_id=member_id,
        key=key,
        fingerprint=fingerprint,
        status=answer.status_code,
        location=answer.headers.get("Location"),
        etag=answer.headers.get("ETag"),
        body=body,
        kept_at=now(),
    )
