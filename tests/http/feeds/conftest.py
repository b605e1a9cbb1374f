"""Fixtures for the tests of feeds."""

from collections.abc import Iterator

import pytest

from tests.readers.node import NodeReader, node_reader


@pytest.fixture(scope="module")
def _javascript_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeReader]:
    with node_reader(tmp_path_factory) as reader:
        yield reader
