"""The app's parts in one process, without a server: where the CPU time of a request is spent."""

from collections.abc import Callable

from flask.testing import FlaskClient
from pytest_benchmark.fixture import BenchmarkFixture

from bench.by_http import LIST
from bench.changes import Outsider
from bench.worlds import World


def test_app_answers_304(benchmark: BenchmarkFixture, client: FlaskClient, world: World) -> None:
    tag = client.get(world.event).headers["ETag"]
    benchmark(_get(client, world.event, If_None_Match=tag))


def test_app_answers_an_unchanged_feed(benchmark: BenchmarkFixture, client: FlaskClient, world: World) -> None:
    benchmark(_get(client, world.event))


def test_app_answers_an_unchanged_page(benchmark: BenchmarkFixture, client: FlaskClient) -> None:
    benchmark(_get(client, LIST))


def test_app_answers_a_changed_feed(
    benchmark: BenchmarkFixture, client: FlaskClient, world: World, outsider: Outsider, rounds: int
) -> None:
    benchmark.pedantic(_get(client, world.event), setup=outsider.change_a_talk, rounds=2 * rounds, warmup_rounds=2)


def test_app_answers_a_changed_page(
    benchmark: BenchmarkFixture, client: FlaskClient, outsider: Outsider, rounds: int
) -> None:
    benchmark.pedantic(_get(client, LIST), setup=outsider.change_a_talk, rounds=2 * rounds, warmup_rounds=2)


def test_app_edits_a_talk(
    benchmark: BenchmarkFixture, client: FlaskClient, world: World, outsider: Outsider, rounds: int
) -> None:
    headers = {"Authorization": f"Bearer {world.token}", "If-Match": "*"}
    ids = iter(outsider.talks[200:])

    def edit() -> None:
        answer = client.patch(f"/api/v1/talks/{next(ids)}", json={"title": outsider.new_name()}, headers=headers)
        _expect(answer.status_code, 200)

    benchmark.pedantic(edit, rounds=2 * rounds, warmup_rounds=2)


def _get(client: FlaskClient, path: str, **headers: str) -> Callable[[], None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def get() -> None:
        answer = client.get(path, headers=named)
        answer.get_data()
        _expect(answer.status_code, 304 if headers else 200)

    return get


def _expect(status: int, wanted: int) -> None:
    if status != wanted:
        raise RuntimeError(f"The app answers {status} and not {wanted}.")
