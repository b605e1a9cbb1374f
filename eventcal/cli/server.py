"""The `serve` command, which runs the app in Granian and sends email in a background thread."""

import errno
import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address

import click

from eventcal.cli.open_database import (
    FeedsOutOfDate,
    check_renderer_version,
    list_connection_warnings,
    load_settings,
    use_database,
)
from eventcal.cli.worker_processes import SHUTDOWN_SECONDS, WorkerServer, load_app
from eventcal.config import Settings, has_readable_secret
from eventcal.kit.clock import SystemClock
from eventcal.kit.database import Database
from eventcal.kit.errors import Conflict
from eventcal.kit.shared_counters import delete_counters_of_ended_processes
from eventcal.metrics import create_metrics_server
from eventcal.worker import delete_expired_data_in_child, run_worker

_IPV6 = 6
_STARTUP_POLL_SECONDS = 0.05
# Memory blocks of at least this size in bytes are allocated with mmap and returned to the operating system when freed.
_MMAP_THRESHOLD = 256 * 1024


class AddressInUse(Conflict):
    """Another process is already listening on this address and port."""

    code = "address-in-use"


class NoSuchAddress(Conflict):
    """The host is not an address of this machine."""

    code = "no-such-address"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on.  [default: EVENTCAL_PORT, or 8000]")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Number of worker processes.")
def serve(*, host: str, port: int | None, workers: int) -> None:
    """Serve the calendar until SIGTERM or SIGINT (Ctrl-C); running requests are completed.

    If MAIL_URL is set, queued email is sent as well. There is no access log, because the URLs of personal feeds are
    secret.
    """
    # Without EVENTCAL_BASE_URL, links contain the port.
    chosen_port = {} if port is None else {"EVENTCAL_PORT": str(port)}
    settings = load_settings(chosen_port)
    database = Database(settings.database_url, clock=SystemClock())
    with use_database(database):
        try:
            check_renderer_version(database, settings)
        except FeedsOutOfDate as error:
            click.echo(error.detail, err=True)
        address = _resolve_free_address(host, settings.port)
        server = WorkerServer(address, settings.port, workers=workers)
        _attach_mail_worker(server, database, settings)
        _attach_metrics_server(server, database, settings)
        for warning in (*list_warnings(settings, address), *list_connection_warnings(database, workers=workers)):
            click.echo(f"Warning: {warning}", err=True)
        server.on_startup(threading.Thread(target=_announce, args=(settings, address), daemon=True).start)
        # The MALLOC_* variables make glibc in the workers return the memory of large responses to the operating system.
        os.environ.update(chosen_port)
        os.environ.setdefault("MALLOC_ARENA_MAX", "1")
        os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", str(_MMAP_THRESHOLD))
        os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", str(_MMAP_THRESHOLD))
        # Granian copies each body to memory allocated by jemalloc. With one arena, all threads reuse the same memory,
        # which is then likely to be in the caches of the processor.
        os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1")
        # Workers are spawned, because a process forked while a thread holds a lock could wait for the lock forever.
        multiprocessing.set_start_method("spawn", force=True)
        server.serve(target_loader=load_app)


def _resolve_free_address(host: str, port: int) -> str:
    """Return the numeric address of a host. Raises NoSuchAddress, or AddressInUse if the port is not free.

    Granian itself does not check the port and would share it with another process that listens on the same port.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, where = min(found, key=lambda one: one[0] != socket.AF_INET)
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise NoSuchAddress(f"This machine has no address {host}. Choose another one with --host.") from error
        problem = f"{host} port {port} cannot be used: {error.strerror}. Choose"
        if error.errno == errno.EADDRINUSE:
            problem = f"Another process already listens on {host} port {port}. Stop it, or choose"
        raise AddressInUse(f"{problem} another port with --port.") from error
    return str(where[0])


def _attach_mail_worker(server: WorkerServer, database: Database, settings: Settings) -> None:
    stop = threading.Event()
    worker = threading.Thread(
        target=run_worker,
        args=(database, settings, stop),
        kwargs={"prune": partial(delete_expired_data_in_child, settings)},
        name="eventcal-mail",
    )

    def stop_worker() -> None:
        stop.set()
        worker.join(SHUTDOWN_SECONDS)

    server.on_startup(worker.start)
    server.on_shutdown(stop_worker)


def _attach_metrics_server(server: WorkerServer, database: Database, settings: Settings) -> None:
    """Serve the metrics on METRICS_PORT, if it is set. Raises AddressInUse or NoSuchAddress."""
    # The counts of earlier runs are deleted here and not by the workers, so that the sums only decrease at a restart.
    delete_counters_of_ended_processes(settings.counters_folder)
    if settings.metrics_port is None:
        return
    _resolve_free_address(settings.metrics_host, settings.metrics_port)
    metrics = create_metrics_server(database, settings)
    thread = threading.Thread(target=metrics.serve_forever, name="eventcal-metrics", daemon=True)
    server.on_startup(thread.start)
    server.on_shutdown(metrics.shutdown)


def _announce(settings: Settings, address: str) -> None:
    """Print the address of the server as soon as a worker responds."""
    local = ip_address(address)
    reachable = ("::1" if local.version == _IPV6 else "127.0.0.1") if local.is_unspecified else address
    while not _is_responding(reachable, settings.port):
        time.sleep(_STARTUP_POLL_SECONDS)
    at = f"http://{f'[{address}]' if local.version == _IPV6 else address}:{settings.port}"
    links = "" if at == settings.base_url else f"; links use {settings.base_url} (EVENTCAL_BASE_URL)"
    click.echo(f"Serving on {at}{links}. Press Ctrl-C to stop.")


def _is_responding(address: str, port: int) -> bool:
    connection = HTTPConnection(address, port, timeout=SHUTDOWN_SECONDS)
    try:
        connection.request("HEAD", "/healthz")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def list_warnings(settings: Settings, address: str) -> Iterator[str]:
    if os.geteuid() == 0:
        yield "eventcal runs as root. Run it as a user without other permissions."
    if has_readable_secret(settings):
        path = settings.instance / "config.toml"
        yield f"every user of this machine can read the secrets in {path}. Run `chmod 600 {path}`."
    if not ip_address(address).is_loopback and not settings.is_https:
        yield (
            f"other machines can reach {address}, and passwords are sent without encryption, because "
            f"EVENTCAL_BASE_URL ({settings.base_url}) does not begin with https. Use a proxy that provides HTTPS."
        )
