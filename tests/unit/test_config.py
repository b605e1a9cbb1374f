import re
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from eventcal.cli.server import list_warnings
from eventcal.config import ConfigurationError, Registration, Settings, has_readable_secret, read_settings

SECRET_KEY = "k" * 32
REQUIRED_SETTINGS = {"EVENTCAL_DATABASE_URL": "postgresql://db.example/calendar", "EVENTCAL_SECRET_KEY": SECRET_KEY}


def read_from_environment(tmp_path: Path, **environment: str) -> Settings:
    given = {f"EVENTCAL_{name.upper()}": value for name, value in environment.items()}
    return read_settings({"EVENTCAL_INSTANCE": str(tmp_path), **given})


def configuration_error(tmp_path: Path, **environment: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_from_environment(tmp_path, **environment)
    return str(caught.value)


def test_default_settings_use_a_database_in_the_instance_folder(tmp_path: Path) -> None:
    settings = read_from_environment(tmp_path)
    assert settings == Settings(
        instance=tmp_path,
        database_url=f"sqlite:///{tmp_path}/eventcal.db",
        secret_key=settings.secret_key,
        base_url="http://127.0.0.1:8000",
        domain="127.0.0.1",
        mail_url=None,
        redis_url=None,
        trusted_proxies=0,
        name="eventcal",
    )
    assert not settings.is_https


def test_every_setting_is_read_from_the_environment(tmp_path: Path) -> None:
    settings = read_from_environment(
        tmp_path,
        database_url="postgresql://me:word@db.example:5433/calendar",
        secret_key=SECRET_KEY,
        base_url="https://events.example.org/",
        domain="example.org",
        mail_url="smtp://mail.example.org:25?from=calendar@example.org",
        redis_url="redis://127.0.0.1:6379/0",
        trusted_proxies="2",
        name="Confs",
    )
    assert settings == Settings(
        instance=tmp_path,
        database_url="postgresql+psycopg://me:word@db.example:5433/calendar",
        secret_key=SECRET_KEY,
        base_url="https://events.example.org",
        domain="example.org",
        mail_url="smtp://mail.example.org:25?from=calendar@example.org",
        redis_url="redis://127.0.0.1:6379/0",
        trusted_proxies=2,
        name="Confs",
    )
    assert settings.is_https


def test_read_url_is_a_postgresql_url(tmp_path: Path) -> None:
    settings = read_from_environment(
        tmp_path,
        database_url="postgresql://db1.example/calendar",
        database_read_url="postgresql://db2.example/calendar",
        secret_key=SECRET_KEY,
    )
    assert settings.database_read_url == "postgresql+psycopg://db2.example/calendar"


@pytest.mark.parametrize(
    ("url", "read_url"),
    [
        (None, "postgresql://db2.example/calendar"),
        ("sqlite:////tmp/calendar.db", "postgresql://db2.example/calendar"),
        ("postgresql://db1.example/calendar", "sqlite:////tmp/calendar.db"),
    ],
)
def test_read_url_is_refused_for_sqlite(tmp_path: Path, url: str | None, read_url: str) -> None:
    given = {} if url is None else {"database_url": url, "secret_key": SECRET_KEY}
    problem = configuration_error(tmp_path, database_read_url=read_url, **given)
    assert problem.startswith("EVENTCAL_DATABASE_READ_URL is only for PostgreSQL, because SQLite has no standby.")


def test_settings_are_immutable(tmp_path: Path) -> None:
    settings = read_from_environment(tmp_path)
    with pytest.raises(FrozenInstanceError):
        settings.name = "other"  # type: ignore[misc]  # the test checks that assignment fails


def test_missing_instance_folder_is_created(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert read_from_environment(folder).instance == folder
    assert folder.is_dir()


@pytest.mark.parametrize("exists", [False, True])
def test_other_users_have_no_access_to_the_instance_folder(tmp_path: Path, *, exists: bool) -> None:
    folder = tmp_path / "instance"
    if exists:
        folder.mkdir()
        folder.chmod(0o755)
    read_from_environment(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600


def test_shared_folder_keeps_its_permissions(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    read_from_environment(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777


@pytest.mark.parametrize(
    ("mode", "text", "is_readable"),
    [
        (0o644, 'mail_url = "smtp://me:secret@mail.example.org"', True),
        (0o640, 'mail_url = "smtp://me:secret@mail.example.org"', False),
        (0o644, 'name = "Confs"', False),
    ],
)
def test_readable_secret_in_config_file_is_detected(tmp_path: Path, mode: int, text: str, *, is_readable: bool) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    path.chmod(mode)
    tmp_path.chmod(0o755)
    settings = read_settings({"EVENTCAL_INSTANCE": str(tmp_path), **REQUIRED_SETTINGS})
    assert has_readable_secret(settings) is is_readable
    assert any("chmod 600" in warning for warning in list_warnings(settings, "127.0.0.1")) is is_readable


def test_relative_instance_folder_is_resolved_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_settings({}).instance == tmp_path / "instance"
    assert read_settings({"EVENTCAL_INSTANCE": "here"}).instance == tmp_path / "here"


def test_unrelated_environment_variables_are_ignored(tmp_path: Path) -> None:
    assert read_settings({"EVENTCAL_INSTANCE": str(tmp_path), "PATH": "/bin", "DATABASE_URL": "x"}).name == "eventcal"


def test_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    assert read_from_environment(
        tmp_path, name="", mail_url="", secret_key="", database_url=""
    ) == read_from_environment(tmp_path)


# The secret key


def test_secret_key_is_generated_once_and_readable_only_by_its_owner(tmp_path: Path) -> None:
    key = read_from_environment(tmp_path).secret_key
    assert re.fullmatch(r"[A-Za-z0-9_-]{64}", key)
    assert read_from_environment(tmp_path).secret_key == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_secret_key_differs_between_installations(tmp_path: Path) -> None:
    assert read_from_environment(tmp_path / "a").secret_key != read_from_environment(tmp_path / "b").secret_key


def test_configured_key_is_not_stored(tmp_path: Path) -> None:
    assert read_from_environment(tmp_path, secret_key=SECRET_KEY).secret_key == SECRET_KEY
    assert list(tmp_path.iterdir()) == []


def test_concurrently_started_processes_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            folder = tmp_path / str(number)
            keys = {settings.secret_key for settings in pool.map(read_from_environment, [folder] * 8)}
            assert len(keys) == 1
            assert [path.name for path in folder.iterdir()] == ["secret_key"]


def test_configured_database_requires_a_configured_key(tmp_path: Path) -> None:
    assert "Set EVENTCAL_SECRET_KEY" in configuration_error(tmp_path, database_url="postgresql://db.example/calendar")
    assert list(tmp_path.iterdir()) == []


def test_short_key_is_rejected(tmp_path: Path) -> None:
    assert configuration_error(tmp_path, secret_key="k" * 31) == "EVENTCAL_SECRET_KEY must have at least 32 characters."


# The configuration file


def test_environment_takes_precedence_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('name = "From the file"\ntrusted_proxies = 3\nbase_url = "http://file"\n')
    settings = read_from_environment(tmp_path, base_url="http://environment")
    assert (settings.name, settings.trusted_proxies, settings.base_url) == ("From the file", 3, "http://environment")


def test_malformed_file_error_names_its_path(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("name = \n")
    assert str(tmp_path / "config.toml") in configuration_error(tmp_path)


def test_file_not_in_utf_8_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b'name = "caf\xe9"\n')
    assert str(tmp_path / "config.toml") in configuration_error(tmp_path)


def test_unknown_setting_error_names_the_setting(tmp_path: Path) -> None:
    assert "EVENTCAL_BASE_ULR" in configuration_error(tmp_path, base_ulr="http://127.0.0.1")
    (tmp_path / "config.toml").write_text('nmae = "x"\ncolour = "red"\n')
    assert "colour, nmae" in configuration_error(tmp_path)


# URLs


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("postgres://db.example/x", "postgresql+psycopg://db.example/x"),
        ("postgresql://db.example/x", "postgresql+psycopg://db.example/x"),
        ("postgresql+psycopg://db.example/x", "postgresql+psycopg://db.example/x"),
        ("sqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
    ],
)
def test_supported_database_url_is_accepted(tmp_path: Path, given: str, taken: str) -> None:
    assert read_from_environment(tmp_path, database_url=given, secret_key=SECRET_KEY).database_url == taken


@pytest.mark.parametrize("url", ["mysql://db.example/x", "postgresql+asyncpg://db.example/x", "calendar.db", "sqlite:"])
def test_unsupported_database_url_is_rejected(tmp_path: Path, url: str) -> None:
    assert "EVENTCAL_DATABASE_URL" in configuration_error(tmp_path, database_url=url, secret_key=SECRET_KEY)


@pytest.mark.parametrize(
    "url",
    [
        "events.example.org",
        "ftp://events.example.org",
        "https://",
        "https://events.example.org/calendar",
        "https://events.example.org/?a=b",
        "https://events.example.org/#top",
    ],
)
def test_invalid_base_url_is_rejected(tmp_path: Path, url: str) -> None:
    assert "EVENTCAL_BASE_URL" in configuration_error(tmp_path, base_url=url)


def test_base_url_defaults_to_the_port_of_the_server(tmp_path: Path) -> None:
    assert read_from_environment(tmp_path, port="8001").base_url == "http://127.0.0.1:8001"
    assert read_from_environment(tmp_path, port="8001", base_url="https://e.example").base_url == "https://e.example"


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
@pytest.mark.parametrize("name", ["port", "metrics_port"])
def test_invalid_port_is_rejected(tmp_path: Path, name: str, port: str) -> None:
    problem = f"EVENTCAL_{name.upper()} must be a port number, not {port!r}."
    assert configuration_error(tmp_path, **{name: port}) == problem


def test_domain_defaults_to_the_host_of_the_base_url(tmp_path: Path) -> None:
    assert read_from_environment(tmp_path, base_url="https://Events.Example.org:8443").domain == "events.example.org"
    assert (
        read_from_environment(tmp_path, base_url="https://events.example.org", domain="example.net").domain
        == "example.net"
    )


@pytest.mark.parametrize("url", ["mail.example.org", "http://mail.example.org", "smtp://"])
def test_invalid_mail_url_is_rejected(tmp_path: Path, url: str) -> None:
    assert "EVENTCAL_MAIL_URL" in configuration_error(tmp_path, mail_url=url)


@pytest.mark.parametrize("count", ["one", "-1", "1.5", "²"])
def test_number_of_proxies_must_be_a_whole_number(tmp_path: Path, count: str) -> None:
    assert "EVENTCAL_TRUSTED_PROXIES" in configuration_error(tmp_path, trusted_proxies=count)


@pytest.mark.parametrize("place", ["events.example.org:port", "events.example.org:70000", "[::1"])
def test_invalid_host_or_port_is_rejected(tmp_path: Path, place: str) -> None:
    assert "EVENTCAL_BASE_URL" in configuration_error(tmp_path, base_url=f"http://{place}")
    assert "EVENTCAL_MAIL_URL" in configuration_error(tmp_path, mail_url=f"smtp://{place}")


def test_registration_settings_are_read_from_the_environment_or_the_file(tmp_path: Path) -> None:
    settings = read_from_environment(
        tmp_path, registration="Invited", registration_domains=" Example.org, example.com ,", mail_require_tls="true"
    )
    assert settings.registration is Registration.INVITED
    assert settings.registration_domains == ("example.org", "example.com")
    assert settings.mail_require_tls
    (tmp_path / "config.toml").write_text(
        'registration = "closed"\nregistration_domains = ["example.org", "example.com"]\nmail_require_tls = true\n'
    )
    settings = read_from_environment(tmp_path)
    assert settings.registration is Registration.CLOSED
    assert settings.registration_domains == ("example.org", "example.com")
    assert settings.mail_require_tls


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("registration", "maybe", "EVENTCAL_REGISTRATION must be open, invited, closed, not 'maybe'."),
        ("registration_domains", "ada@example.org", "must be a list of domains such as example.org"),
        ("registration_domains", "*.example.org", "must be a list of domains such as example.org"),
        ("mail_require_tls", "perhaps", "EVENTCAL_MAIL_REQUIRE_TLS must be true or false, not 'perhaps'."),
    ],
)
def test_invalid_registration_setting_is_rejected(tmp_path: Path, name: str, value: str, problem: str) -> None:
    assert problem in configuration_error(tmp_path, **{name: value})
