"""Reproducible replacements for functions of the `secrets` module during a recording."""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from random import Random
from typing import TypeVar
from unittest import mock

T = TypeVar("T")


class Randomness:
    """Random number generators that are seeded for each request, so that requests do not affect each other's values.

    Identifiers and tokens have separate generators, so that the number of tokens does not affect the identifiers.
    """

    def __init__(self) -> None:
        self.seed("")

    def seed(self, name: str) -> None:
        """Seed both generators with this name."""
        self._identifiers = Random(f"identifiers {name}")  # noqa: S311 - reproducible values
        self._tokens = Random(f"tokens {name}")  # noqa: S311 - as above

    def choice(self, among: Sequence[T]) -> T:
        """Replace secrets.choice, with which identifiers are generated."""
        return self._identifiers.choice(among)

    def token_bytes(self, size: int | None = None) -> bytes:
        """Replace secrets.token_bytes."""
        return self._tokens.randbytes(32 if size is None else size)

    def token_hex(self, size: int | None = None) -> str:
        """Replace secrets.token_hex."""
        return self.token_bytes(size).hex()

    def token_urlsafe(self, size: int | None = None) -> str:
        """Replace secrets.token_urlsafe."""
        return urlsafe_b64encode(self.token_bytes(size)).rstrip(b"=").decode("ascii")


@contextmanager
def patch_secrets() -> Iterator[Randomness]:
    """Provide the generators that replace the functions of `secrets` until the end of the block, in all modules."""
    randomness = Randomness()
    with ExitStack() as stack:
        for name in ("choice", "token_bytes", "token_hex", "token_urlsafe"):
            stack.enter_context(mock.patch.object(secrets, name, getattr(randomness, name)))
        yield randomness
