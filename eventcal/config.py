"""Settings: frozen, read once from EVENTCAL_* and instance/config.toml; half configured, nothing starts."""

import os
import secrets
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

PREFIX = "EVENTCAL_"


class ConfigurationError(Exception):
    """The settings contradict themselves or miss something; the message says what to set."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How this installation runs.

    instance: the folder that holds what is local: the embedded database, the secret key, config.toml.
    database_url: an SQLAlchemy URL, sqlite or postgresql+psycopg.
    secret_key: signs sessions and mailed tokens, and seals the secrets of authenticator apps.
    base_url: how the world reaches us, without a slash at the end.
    domain: the right-hand side of every UID; changing it makes every subscriber's entries new.
    mail_url: smtp://user:password@host:port?from=address, or None: members are then confirmed at once.
    redis_url: where rate limits are counted, or None: each worker counts for itself.
    trusted_proxies: how many proxies in front of us add to X-Forwarded-For.
    name: what the calendar is called.
    """

    instance: Path
    database_url: str
    secret_key: str
    base_url: str = "http://127.0.0.1:8000"
    domain: str = "127.0.0.1"
    mail_url: str | None = None
    redis_url: str | None = None
    trusted_proxies: int = 0
    name: str = "eventcal"

    @property
    def https(self) -> bool:
        """Say whether the world reaches us over TLS."""
        return self.base_url.startswith("https://")

    @property
    def media(self) -> Path:
        """Return the folder that holds the pictures that were uploaded; every process must see the same."""
        return self.instance / "media"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings that the environment and instance/config.toml give; the environment wins.

    On the embedded default database the secret key is made once and kept in the instance folder. Raises
    ConfigurationError, with what to set, for anything missing, unknown or malformed.
    """
    instance = Path(environment.get(PREFIX + "INSTANCE", "instance")).absolute()
    given = _from_file(instance / "config.toml") | _from_environment(environment)
    embedded = "database_url" not in given
    if embedded:
        instance.mkdir(parents=True, exist_ok=True)
    secret_key = given.get("secret_key")
    if secret_key is None:
        if not embedded:
            raise ConfigurationError(
                f"Set {PREFIX}SECRET_KEY (32 random characters or more): with a database of your own, every "
                "process must sign with the same key."
            )
        secret_key = _kept_key(instance / "secret_key")
    if len(secret_key) < 32:  # noqa: PLR2004 - the sentence below says it
        raise ConfigurationError(f"{PREFIX}SECRET_KEY is shorter than 32 characters.")
    base_url = _checked_base_url(given.get("base_url", Settings.base_url))
    return Settings(
        instance=instance,
        database_url=_checked_database_url(given.get("database_url", f"sqlite:///{instance / 'eventcal.db'}")),
        secret_key=secret_key,
        base_url=base_url,
        domain=given.get("domain") or urlsplit(base_url).hostname or "localhost",
        mail_url=_checked_mail_url(given.get("mail_url")),
        redis_url=given.get("redis_url") or None,
        trusted_proxies=_checked_number("TRUSTED_PROXIES", given.get("trusted_proxies", "0")),
        name=given.get("name", Settings.name),
    )


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    given = {key[len(PREFIX) :].lower(): value for key, value in environment.items() if key.startswith(PREFIX)}
    _refuse_unknown(given, "the environment", shown=lambda name: PREFIX + name.upper())
    return {name: value for name, value in given.items() if value}


def _from_file(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    _refuse_unknown(given, str(path))
    return {name: str(value) for name, value in given.items()}


def _refuse_unknown(names: Iterable[str], where: str, *, shown: Callable[[str], str] = str) -> None:
    unknown = set(names) - {field.name for field in fields(Settings)}
    if unknown:
        raise ConfigurationError(f"{where} sets what nobody knows: {', '.join(sorted(map(shown, unknown)))}.")


def _kept_key(path: Path) -> str:
    """Return the key in the instance folder, made there by whoever comes first, readable by its owner only."""
    if not path.exists():
        # Linked only when written: nobody may find half a key, and the first of several that start at once wins.
        descriptor, made = tempfile.mkstemp(dir=path.parent, prefix="secret_key.")
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
        with suppress(FileExistsError):
            os.link(made, path)
        Path(made).unlink()
    return path.read_text(encoding="ascii").strip()


def _checked_database_url(url: str) -> str:
    # What everybody calls a PostgreSQL URL names no driver; ours is psycopg 3.
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            url = "postgresql+psycopg://" + url.removeprefix(plain)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ConfigurationError(f"{PREFIX}DATABASE_URL must begin with sqlite:/// or postgresql://.")
    return url


def _checked_base_url(url: str) -> str:
    parts = _parts(url)
    if parts is None or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ConfigurationError(f"{PREFIX}BASE_URL must be http(s)://host, and is {url!r}.")
    if parts.path.strip("/"):
        raise ConfigurationError(f"{PREFIX}BASE_URL must not have a path: eventcal needs a host name of its own.")
    return url.rstrip("/")


def _checked_mail_url(url: str | None) -> str | None:
    if not url:
        return None
    parts = _parts(url)
    if parts is None or parts.scheme not in {"smtp", "smtps"}:
        raise ConfigurationError(f"{PREFIX}MAIL_URL must be smtp://host:port or smtps://host:port.")
    return url


def _parts(url: str) -> SplitResult | None:
    """Return the parts of a URL that has a host, and a port that is one if any; None otherwise."""
    try:
        parts = urlsplit(url)
        reachable = parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if reachable else None


def _checked_number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise ConfigurationError(f"{PREFIX}{name} must be a whole number, and is {text!r}.")
    return int(text)
