"""A test that every portrait in the database has a complete file, even if the server is killed."""

import http.client
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine, text

from eventcal.kit.clock import SystemClock
from eventcal.kit.database import Database
from eventcal.members.enums import Scope
from eventcal.members.service import create_access_token
from tests.factories import make_member, make_speaker
from tests.images import decode_image, make_image
from tests.journeys.conftest import Server

KILL_AFTER_RESPONSES = 25
SPEAKER_COUNT = 4


def _create_speaker_tokens(database_url: str) -> dict[str, str]:
    """Return an access token for changing the portrait of each speaker, by speaker slug."""
    clock = SystemClock()
    database = Database(database_url, clock=clock)
    tokens, tomorrow = {}, clock.now() + timedelta(days=1)
    with database.unit_of_work() as unit:
        for number in range(SPEAKER_COUNT):
            member = make_member(unit.session)
            slug = make_speaker(unit.session, slug=f"speaker-{number}", member=member).slug
            _, tokens[slug] = create_access_token(
                unit.session,
                member,
                name="test",
                scopes=[Scope.SUBMIT],
                expires_at=tomorrow,
                now=clock.now(),
            )
    database.engine.dispose()
    return tokens


def test_every_referenced_portrait_is_complete_after_kill_9(server: Server, database_url: str, tmp_path: Path) -> None:
    tokens = _create_speaker_tokens(database_url)
    answered: list[str] = []
    enough = threading.Event()

    def upload(slug: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "image/png"}
        # Each request uploads a different image, which is stored in a separate file.
        for number in count():
            raw = make_image((300, 200), colour=(number % 256, number // 256, int(slug[-1]) * 20))
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            try:
                connection.request("PUT", f"/api/v1/speakers/{slug}/photo", body=raw, headers=headers)
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException):
                return
            finally:
                connection.close()
            if status == http.HTTPStatus.TOO_MANY_REQUESTS:
                return
            if status == http.HTTPStatus.SERVICE_UNAVAILABLE:
                # Too many images are being decoded.
                continue
            assert status == 200
            answered.append(slug)
            if len(answered) >= KILL_AFTER_RESPONSES:
                enough.set()

    with ThreadPoolExecutor(SPEAKER_COUNT) as pool:
        jobs = [pool.submit(upload, slug, token) for slug, token in tokens.items()]
        assert enough.wait(60)
        server.kill()
        for job in jobs:
            job.result()

    engine = create_engine(database_url)
    with engine.connect() as connection:
        named = {row.slug: row.photo_url for row in connection.execute(text("SELECT slug, photo_url FROM speakers"))}
    engine.dispose()
    for slug in set(answered):
        name = Path(named[slug]).name
        assert decode_image((tmp_path / "media" / name[:2] / name).read_bytes()).size == (300, 200)
