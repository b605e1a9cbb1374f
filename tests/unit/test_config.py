import re
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from eventcal.config import ConfigurationError, Settings, read_settings

KEY = "k" * 32
OWN = {"EVENTCAL_DATABASE_URL": "postgresql://db.example/calendar", "EVENTCAL_SECRET_KEY": KEY}


def read(tmp_path: Path, **environment: str) -> Settings:
    given = {f"EVENTCAL_{name.upper()}": value for name, value in environment.items()}
    return read_settings({"EVENTCAL_INSTANCE": str(tmp_path), **given})


def refused(tmp_path: Path, **environment: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, **environment)
    return str(caught.value)


def test_with_nothing_set_it_runs_on_a_database_in_the_instance_folder(tmp_path: Path) -> None:
    settings = read(tmp_path)
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
    assert not settings.https


def test_everything_that_can_be_set(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        database_url="postgresql://me:word@db.example:5433/calendar",
        secret_key=KEY,
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
        secret_key=KEY,
        base_url="https://events.example.org",
        domain="example.org",
        mail_url="smtp://mail.example.org:25?from=calendar@example.org",
        redis_url="redis://127.0.0.1:6379/0",
        trusted_proxies=2,
        name="Confs",
    )
    assert settings.https


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = read(tmp_path)
    with pytest.raises(FrozenInstanceError):
        settings.name = "other"  # type: ignore[misc]  # that it cannot be done is what is tested


def test_the_instance_folder_is_made_where_it_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert read(folder).instance == folder
    assert folder.is_dir()


def test_a_relative_instance_folder_is_taken_from_where_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_settings({}).instance == tmp_path / "instance"
    assert read_settings({"EVENTCAL_INSTANCE": "here"}).instance == tmp_path / "here"


def test_what_is_not_ours_in_the_environment_is_left_alone(tmp_path: Path) -> None:
    assert read_settings({"EVENTCAL_INSTANCE": str(tmp_path), "PATH": "/bin", "DATABASE_URL": "x"}).name == "eventcal"


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    assert read(tmp_path, name="", mail_url="", secret_key="", database_url="") == read(tmp_path)


# The secret key


def test_the_secret_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    key = read(tmp_path).secret_key
    assert re.fullmatch(r"[A-Za-z0-9_-]{64}", key)
    assert read(tmp_path).secret_key == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_two_installations_have_two_keys(tmp_path: Path) -> None:
    assert read(tmp_path / "a").secret_key != read(tmp_path / "b").secret_key


def test_a_key_that_is_given_is_not_kept(tmp_path: Path) -> None:
    assert read(tmp_path, secret_key=KEY).secret_key == KEY
    assert list(tmp_path.iterdir()) == []


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            folder = tmp_path / str(number)
            keys = {settings.secret_key for settings in pool.map(read, [folder] * 8)}
            assert len(keys) == 1
            assert [path.name for path in folder.iterdir()] == ["secret_key"]


def test_a_database_of_ones_own_needs_a_key_of_ones_own(tmp_path: Path) -> None:
    assert "Set EVENTCAL_SECRET_KEY" in refused(tmp_path, database_url="postgresql://db.example/calendar")
    assert list(tmp_path.iterdir()) == []


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, secret_key="k" * 31) == "EVENTCAL_SECRET_KEY is shorter than 32 characters."


# The file


def test_the_file_says_what_the_environment_does_not(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('name = "From the file"\ntrusted_proxies = 3\nbase_url = "http://file"\n')
    settings = read(tmp_path, base_url="http://environment")
    assert (settings.name, settings.trusted_proxies, settings.base_url) == ("From the file", 3, "http://environment")


def test_a_broken_file_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("name = \n")
    assert str(tmp_path / "config.toml") in refused(tmp_path)


def test_a_file_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b'name = "caf\xe9"\n')
    assert str(tmp_path / "config.toml") in refused(tmp_path)


def test_unknown_settings_are_refused_by_name(tmp_path: Path) -> None:
    assert "EVENTCAL_BASE_ULR" in refused(tmp_path, base_ulr="http://127.0.0.1")
    (tmp_path / "config.toml").write_text('nmae = "x"\ncolour = "red"\n')
    assert "colour, nmae" in refused(tmp_path)


# Addresses


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("postgres://db.example/x", "postgresql+psycopg://db.example/x"),
        ("postgresql://db.example/x", "postgresql+psycopg://db.example/x"),
        ("postgresql+psycopg://db.example/x", "postgresql+psycopg://db.example/x"),
        ("sqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
    ],
)
def test_database_urls_that_are_taken(tmp_path: Path, given: str, taken: str) -> None:
    assert read(tmp_path, database_url=given, secret_key=KEY).database_url == taken


@pytest.mark.parametrize("url", ["mysql://db.example/x", "postgresql+asyncpg://db.example/x", "calendar.db", "sqlite:"])
def test_database_urls_that_are_refused(tmp_path: Path, url: str) -> None:
    assert "EVENTCAL_DATABASE_URL" in refused(tmp_path, database_url=url, secret_key=KEY)


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
def test_base_urls_that_are_refused(tmp_path: Path, url: str) -> None:
    assert "EVENTCAL_BASE_URL" in refused(tmp_path, base_url=url)


def test_the_domain_is_the_host_of_the_base_url_unless_it_is_given(tmp_path: Path) -> None:
    assert read(tmp_path, base_url="https://Events.Example.org:8443").domain == "events.example.org"
    assert read(tmp_path, base_url="https://events.example.org", domain="example.net").domain == "example.net"


@pytest.mark.parametrize("url", ["mail.example.org", "http://mail.example.org", "smtp://"])
def test_mail_urls_that_are_refused(tmp_path: Path, url: str) -> None:
    assert "EVENTCAL_MAIL_URL" in refused(tmp_path, mail_url=url)


@pytest.mark.parametrize("count", ["one", "-1", "1.5", "²"])
def test_the_number_of_proxies_is_a_whole_number(tmp_path: Path, count: str) -> None:
    assert "EVENTCAL_TRUSTED_PROXIES" in refused(tmp_path, trusted_proxies=count)


@pytest.mark.parametrize("place", ["events.example.org:port", "events.example.org:70000", "[::1"])
def test_hosts_and_ports_that_are_none_are_refused(tmp_path: Path, place: str) -> None:
    assert "EVENTCAL_BASE_URL" in refused(tmp_path, base_url=f"http://{place}")
    assert "EVENTCAL_MAIL_URL" in refused(tmp_path, mail_url=f"smtp://{place}")
