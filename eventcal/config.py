"""Settings from EVENTCAL_* environment variables and instance/config.toml."""

import os
import secrets
import stat
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

ENV_PREFIX = "EVENTCAL_"
_PRIVATE_FOLDER = 0o700
# The settings that are secrets or URLs that can contain a password.
_SECRET_SETTINGS = frozenset(
    {"secret_key", "database_url", "database_read_url", "mail_url", "redis_url", "metrics_token"}
)


class ConfigurationError(Exception):
    """A setting is invalid or missing. The message explains how to correct the setting."""


class Registration(StrEnum):
    """Who may register: anybody, only people whose address has an open invitation, or nobody."""

    OPEN = "open"
    INVITED = "invited"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of an installation.

    `instance`: the folder for the embedded database, the secret key, images and config.toml.
    `database_url`: a SQLAlchemy URL with the dialect sqlite or postgresql+psycopg.
    `database_read_url`: a URL of standbys of a PostgreSQL database, from which some requests without credentials read.
    `secret_key`: the key that signs sessions and emailed tokens, and encrypts the secrets of authenticator apps.
    `port`: the port on which `eventcal serve` listens.
    `base_url`: the public URL of the site, without a trailing slash. The default is the address of `eventcal serve`.
    `domain`: the domain part of every UID. After a change of the domain, calendar apps treat all entries as new.
    `mail_url`: smtp://user:password@host:port?from=address, or None to accept email addresses without verification.
    `mail_require_tls`: whether email is sent only over encrypted connections, or to a mail server on this machine.
    `registration`: who may register. The command line can always add members.
    `registration_domains`: the domains of the addresses that may register, or empty for all domains.
    `redis_url`: the Redis database for rate limits, or None to count requests separately in each worker.
    `metrics_port`: the port on which `eventcal serve` serves /metrics, at the address `metrics_host`.
    `metrics_token`: the bearer token for /metrics, which is then also available at the address of the site.
    `require_second_factor`: whether moderators and administrators without an authenticator app are plain members.
    `trusted_proxies`: the number of trusted reverse proxies, each of which appends to X-Forwarded-For.
    """

    instance: Path
    database_url: str
    secret_key: str
    database_read_url: str | None = None
    port: int = 8000
    base_url: str = "http://127.0.0.1:8000"
    domain: str = "127.0.0.1"
    mail_url: str | None = None
    mail_require_tls: bool = False
    registration: Registration = Registration.OPEN
    registration_domains: tuple[str, ...] = ()
    redis_url: str | None = None
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    metrics_token: str | None = None
    require_second_factor: bool = False
    trusted_proxies: int = 0
    name: str = "eventcal"

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def media_folder(self) -> Path:
        """The folder for uploaded images, which all processes must share."""
        return self.instance / "media"

    @property
    def last_backup_file(self) -> Path:
        """The empty file whose modification time is the time of the last backup, for the metrics."""
        return self.instance / "last_backup"

    @property
    def counters_folder(self) -> Path:
        """The folder in which all processes store counts for the metrics."""
        return self.instance / "metrics"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings from the environment, which takes precedence, and from instance/config.toml.

    If neither a database URL nor a secret key is set, a secret key is generated once and stored in the instance folder,
    to which no other user of the machine has access.
    Raises ConfigurationError if a setting is missing, unknown or malformed.
    """
    instance = Path(environment.get(ENV_PREFIX + "INSTANCE", "instance")).absolute()
    given = _read_toml(instance / "config.toml") | _read_environment(environment)
    embedded = "database_url" not in given
    if embedded:
        instance.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        _make_private(instance)
    secret_key = given.get("secret_key")
    if secret_key is None:
        if not embedded:
            raise ConfigurationError(
                f"Set {ENV_PREFIX}SECRET_KEY to at least 32 random characters: with DATABASE_URL set, all processes "
                "must use the same key."
            )
        secret_key = _read_or_create_key(instance / "secret_key")
    if len(secret_key) < 32:  # noqa: PLR2004 - explained by the message below
        raise ConfigurationError(f"{ENV_PREFIX}SECRET_KEY must have at least 32 characters.")
    port = _parse_port("port", given) or Settings.port
    base_url = _parse_base_url(given.get("base_url", f"http://127.0.0.1:{port}"))
    trusted_proxies = given.get("trusted_proxies", "0")
    if not trusted_proxies.isdecimal():
        raise ConfigurationError(f"{ENV_PREFIX}TRUSTED_PROXIES must be an integer, not {trusted_proxies!r}.")
    return Settings(
        instance=instance,
        database_url=_parse_database_url(given.get("database_url", f"sqlite:///{instance / 'eventcal.db'}")),
        database_read_url=_parse_read_url(given),
        secret_key=secret_key,
        port=port,
        base_url=base_url,
        domain=given.get("domain") or urlsplit(base_url).hostname or "localhost",
        mail_url=_parse_mail_url(given.get("mail_url")),
        mail_require_tls=_parse_bool("mail_require_tls", given),
        registration=_parse_registration(given.get("registration", Settings.registration)),
        registration_domains=_parse_domains(given.get("registration_domains", "")),
        redis_url=given.get("redis_url") or None,
        metrics_port=_parse_port("metrics_port", given),
        metrics_host=given.get("metrics_host", Settings.metrics_host),
        metrics_token=given.get("metrics_token") or None,
        require_second_factor=_parse_bool("require_second_factor", given),
        trusted_proxies=int(trusted_proxies),
        name=given.get("name", Settings.name),
    )


def _read_environment(environment: Mapping[str, str]) -> dict[str, str]:
    given = {key[len(ENV_PREFIX) :].lower(): value for key, value in environment.items() if key.startswith(ENV_PREFIX)}
    _check_setting_names(given, "the environment", format_name=lambda name: ENV_PREFIX + name.upper())
    return {name: value for name, value in given.items() if value}


def _read_toml(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    _check_setting_names(given, str(path))
    return {name: ",".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in given.items()}


def _check_setting_names(names: Iterable[str], source: str, *, format_name: Callable[[str], str] = str) -> None:
    if unknown := set(names) - {field.name for field in fields(Settings)}:
        raise ConfigurationError(f"Unknown settings in {source}: {', '.join(sorted(map(format_name, unknown)))}.")


def has_readable_secret(settings: Settings) -> bool:
    """Return whether config.toml contains a secret and can be read by all users of the machine."""
    path = settings.instance / "config.toml"
    if not path.exists() or not (
        path.stat().st_mode & stat.S_IROTH and settings.instance.stat().st_mode & stat.S_IXOTH
    ):
        return False
    return not _SECRET_SETTINGS.isdisjoint(_read_toml(path))


def _make_private(folder: Path) -> None:
    """Deny other users access to the folder. A folder of another user, or one that is shared like /tmp, is kept."""
    status = folder.stat()
    if status.st_uid == os.geteuid() and not status.st_mode & stat.S_ISVTX:
        folder.chmod(_PRIVATE_FOLDER)


def _read_or_create_key(path: Path) -> str:
    """Return the stored secret key, or create a key file that only its owner can read."""
    if not path.exists():
        # Linking the complete file ensures that no process reads a partial key and that all processes use the same key.
        descriptor, made = tempfile.mkstemp(dir=path.parent, prefix="secret_key.")
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
        with suppress(FileExistsError):
            os.link(made, path)
        Path(made).unlink()
    return path.read_text(encoding="ascii").strip()


def _parse_database_url(url: str) -> str:
    # PostgreSQL URLs usually do not specify the driver, which is psycopg 3 in eventcal.
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            url = "postgresql+psycopg://" + url.removeprefix(plain)
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ConfigurationError(f"{ENV_PREFIX}DATABASE_URL must start with sqlite:/// or postgresql://.")
    return url


def _parse_read_url(given: Mapping[str, str]) -> str | None:
    url = given.get("database_read_url")
    if not url:
        return None
    if not all(given.get(name, "").startswith("postgres") for name in ("database_url", "database_read_url")):
        raise ConfigurationError(
            f"{ENV_PREFIX}DATABASE_READ_URL is only for PostgreSQL, because SQLite has no standby. Remove it, or set "
            f"both {ENV_PREFIX}DATABASE_URL and {ENV_PREFIX}DATABASE_READ_URL to a URL that starts with postgresql://."
        )
    return _parse_database_url(url)


def _parse_base_url(url: str) -> str:
    parts = _split_url(url)
    if parts is None or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ConfigurationError(f"{ENV_PREFIX}BASE_URL must have the form http(s)://host, not {url!r}.")
    if parts.path.strip("/"):
        raise ConfigurationError(
            f"{ENV_PREFIX}BASE_URL must not have a path, because eventcal needs its own host name."
        )
    return url.rstrip("/")


def _parse_bool(name: str, given: Mapping[str, str]) -> bool:
    value = given.get(name, "false").lower()
    if value not in {"true", "false", "1", "0"}:
        raise ConfigurationError(f"{ENV_PREFIX}{name.upper()} must be true or false, not {value!r}.")
    return value in {"true", "1"}


def _parse_mail_url(url: str | None) -> str | None:
    if not url:
        return None
    parts = _split_url(url)
    if parts is None or parts.scheme not in {"smtp", "smtps"}:
        raise ConfigurationError(f"{ENV_PREFIX}MAIL_URL must have the form smtp://host:port or smtps://host:port.")
    return url


def _parse_port(name: str, given: Mapping[str, str]) -> int | None:
    port = given.get(name)
    if not port:
        return None
    if not port.isdecimal() or not 0 < int(port) < 2**16:
        raise ConfigurationError(f"{ENV_PREFIX}{name.upper()} must be a port number, not {port!r}.")
    return int(port)


def _parse_registration(value: str) -> Registration:
    try:
        return Registration(value.lower())
    except ValueError as error:
        raise ConfigurationError(
            f"{ENV_PREFIX}REGISTRATION must be {', '.join(Registration)}, not {value!r}."
        ) from error


def _parse_domains(value: str) -> tuple[str, ...]:
    domains = tuple(domain.strip().lower() for domain in value.split(",") if domain.strip())
    for domain in domains:
        if "@" in domain or "*" in domain or "." not in domain:
            raise ConfigurationError(
                f"{ENV_PREFIX}REGISTRATION_DOMAINS must be a list of domains such as example.org, not {domain!r}."
            )
    return domains


def _split_url(url: str) -> SplitResult | None:
    """Return the parts of a URL, or None if the URL has no host or an invalid port."""
    try:
        parts = urlsplit(url)
        reachable = parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if reachable else None
