"""Reproducible stand-ins for the functions of the standard library's `secrets`, while a recording is made."""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from random import Random
from typing import TypeVar
from unittest import mock

T = TypeVar("T")


class Randomness:
    """Sources of numbers that start again at every `seed`: what one request takes does not change the next one's.

    Identifiers come from another source than tokens, so that more or fewer tokens leave all identifiers as they are.
    """

    def __init__(self) -> None:
        self.seed("")

    def seed(self, name: str) -> None:
        """Start both sources at the place that belongs to this name."""
        self._identifiers = Random(f"identifiers {name}")  # noqa: S311 - to be the same every time is the purpose
        self._tokens = Random(f"tokens {name}")  # noqa: S311 - as above

    def choice(self, among: Sequence[T]) -> T:
        """Stand in for secrets.choice, which identifiers are made with."""
        return self._identifiers.choice(among)

    def token_bytes(self, size: int | None = None) -> bytes:
        """Stand in for secrets.token_bytes."""
        return self._tokens.randbytes(32 if size is None else size)

    def token_hex(self, size: int | None = None) -> str:
        """Stand in for secrets.token_hex."""
        return self.token_bytes(size).hex()

    def token_urlsafe(self, size: int | None = None) -> str:
        """Stand in for secrets.token_urlsafe."""
        return urlsafe_b64encode(self.token_bytes(size)).rstrip(b"=").decode("ascii")


@contextmanager
def patch_secrets() -> Iterator[Randomness]:
    """Yield what `secrets` draws from until the end; modules that import it see the same functions."""
    randomness = Randomness()
    with ExitStack() as stack:
        for name in ("choice", "token_bytes", "token_hex", "token_urlsafe"):
            stack.enter_context(mock.patch.object(secrets, name, getattr(randomness, name)))
        yield randomness
