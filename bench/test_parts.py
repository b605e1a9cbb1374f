"""Benchmarks of the app without a server, which show where the CPU time of a request is spent."""

from collections.abc import Callable

from flask.testing import FlaskClient
from pytest_benchmark.fixture import BenchmarkFixture

from bench.datasets import Dataset
from bench.external_writer import ExternalWriter
from bench.http_measurements import LIST_PATH


def test_app_answers_304(benchmark: BenchmarkFixture, client: FlaskClient, dataset: Dataset) -> None:
    tag = client.get(dataset.event_feed).headers["ETag"]
    benchmark(_make_request(client, dataset.event_feed, If_None_Match=tag))


def test_app_answers_an_unchanged_feed(benchmark: BenchmarkFixture, client: FlaskClient, dataset: Dataset) -> None:
    benchmark(_make_request(client, dataset.event_feed))


def test_app_answers_an_unchanged_page(benchmark: BenchmarkFixture, client: FlaskClient) -> None:
    benchmark(_make_request(client, LIST_PATH))


def test_app_answers_a_changed_feed(
    benchmark: BenchmarkFixture, client: FlaskClient, dataset: Dataset, external_writer: ExternalWriter, rounds: int
) -> None:
    benchmark.pedantic(
        _make_request(client, dataset.event_feed),
        setup=external_writer.change_next_talk,
        rounds=2 * rounds,
        warmup_rounds=2,
    )


def test_app_answers_a_changed_page(
    benchmark: BenchmarkFixture, client: FlaskClient, external_writer: ExternalWriter, rounds: int
) -> None:
    benchmark.pedantic(
        _make_request(client, LIST_PATH), setup=external_writer.change_next_talk, rounds=2 * rounds, warmup_rounds=2
    )


def test_app_edits_a_talk(
    benchmark: BenchmarkFixture, client: FlaskClient, dataset: Dataset, external_writer: ExternalWriter, rounds: int
) -> None:
    headers = {"Authorization": f"Bearer {dataset.token}", "If-Match": "*"}
    ids = iter(external_writer.talks[200:])

    def edit() -> None:
        answer = client.patch(f"/api/v1/talks/{next(ids)}", json={"title": external_writer.new_name()}, headers=headers)
        _check_status(answer.status_code, 200)

    benchmark.pedantic(edit, rounds=2 * rounds, warmup_rounds=2)


def _make_request(client: FlaskClient, path: str, **headers: str) -> Callable[[], None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def get() -> None:
        answer = client.get(path, headers=named)
        answer.get_data()
        _check_status(answer.status_code, 304 if headers else 200)

    return get


def _check_status(status: int, wanted: int) -> None:
    if status != wanted:
        raise RuntimeError(f"The app answers {status} and not {wanted}.")
