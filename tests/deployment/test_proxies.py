"""eventcal behind nginx and Caddy with the configurations in deploy/."""

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DEPLOY = Path(__file__).parents[2] / "deploy"
HOST = "calendar.example.org"
# Debian installs nginx in a folder that is not in the PATH of all users.
PROGRAM_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Site:
    """A running proxy in front of eventcal. `log` is the output of eventcal, and `proxy_log` the log of the proxy."""

    port: int
    log: Path
    proxy_log: Path

    def request(
        self, method: str, path: str, *, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[HTTPResponse, bytes]:
        """Send a request to the proxy, and return the response and its body."""
        connection = HTTPSConnection("127.0.0.1", self.port, context=_context(), timeout=TIMEOUT_SECONDS)
        given = {"Host": HOST, "Content-Type": "application/json", **(headers or {})}
        connection.request(method, path, None if body is None else json.dumps(body), given)
        answer = connection.getresponse()
        received = answer.read()
        connection.close()
        return answer, received

    def send_part_of_body(self, stack: ExitStack) -> None:
        """Send the headers and one byte of the body, and keep the connection open."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_SECONDS)
        encrypted = stack.enter_context(_context().wrap_socket(plain, server_hostname=HOST))
        head = f"POST /api/v1/auth/login HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000000\r\n\r\n"
        encrypted.sendall(head.encode() + b"{")


def _context() -> ssl.SSLContext:
    # The certificate is signed by the key of the test.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.fixture(params=["nginx", "caddy"])
def site(request: pytest.FixtureRequest, tmp_path: Path, sqlite_url: str) -> Iterator[Site]:
    """Provide a site whose database has no events."""
    program = shutil.which(request.param, path=PROGRAM_PATH)
    if program is None:
        pytest.skip(f"{request.param} is not installed")
    app_port, proxy_port = _find_free_port(), _find_free_port()
    certificate, key = _create_certificate(tmp_path)
    log, proxy_log = tmp_path / "eventcal.log", tmp_path / "access.log"
    if request.param == "nginx":
        command = _nginx_command(program, tmp_path, app_port=app_port, port=proxy_port)
    else:
        command = _caddy_command(program, tmp_path, app_port=app_port, port=proxy_port, files=f"{certificate} {key}")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("EVENTCAL_")},
        "EVENTCAL_DATABASE_URL": sqlite_url,
        "EVENTCAL_SECRET_KEY": "k" * 40,
        "EVENTCAL_INSTANCE": str(tmp_path),
        "EVENTCAL_BASE_URL": f"https://{HOST}",
        "EVENTCAL_TRUSTED_PROXIES": "1",
    }
    serve = [sys.executable, "-m", "eventcal.cli", "serve", "--port", str(app_port)]
    home = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    with _run(serve, environment, log), _run(command, home, tmp_path / "proxy.log"):
        here = Site(proxy_port, log, proxy_log)
        _wait_until_ready(here)
        yield here


@contextmanager
def _run(command: list[str], environment: Mapping[str, str], output: Path) -> Iterator[None]:
    with (
        output.open("wb") as file,
        subprocess.Popen(  # noqa: S603 - constant programs
            command, env=environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def _nginx_command(program: str, folder: Path, *, app_port: int, port: int) -> list[str]:
    site = (DEPLOY / "nginx.conf").read_text()
    site = site.replace("127.0.0.1:8000", f"127.0.0.1:{app_port}").replace("/etc/ssl/", f"{folder}/")
    site = site.replace("/var/log/nginx/eventcal.log", f"{folder}/access.log").replace("listen 443", f"listen {port}")
    # The tests send no requests to port 80, and may not have the right to listen on it, or on IPv6.
    site = re.sub(r"server \{\n    listen 80;.*?\n\}\n", "", site, flags=re.DOTALL)
    site = re.sub(r" *listen \[::\].*\n", "", site)
    folders = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""
    main.write_text(f"{user}pid {folder}/nginx.pid;\nevents {{}}\nhttp {{\n{folders}{site}}}\n")
    return [program, "-p", str(folder), "-c", str(main), "-e", "stderr", "-g", "daemon off;"]


def _caddy_command(program: str, folder: Path, *, app_port: int, port: int, files: str) -> list[str]:
    site = (DEPLOY / "Caddyfile").read_text()
    site = site.replace("127.0.0.1:8000", f"127.0.0.1:{app_port}")
    site = site.replace(f"{HOST} {{", f"https://:{port} {{\n\ttls {files}", 1)
    # The tests send no requests to port 80 and to the administration port.
    site = site.replace("{\n\tservers", "{\n\tadmin off\n\tauto_https disable_redirects\n\tservers", 1)
    version = subprocess.run([program, "version"], check=True, capture_output=True, text=True)  # noqa: S603 - constant
    if re.match(r"v?2\.[0-6]\.", version.stdout):
        # These versions have other names for the buffers.
        site = re.sub(r"request_buffers \w+", "buffer_requests", site)
        site = re.sub(r"response_buffers (\w+)", r"buffer_responses\n\t\tmax_buffer_size \1", site)
    path = folder / "Caddyfile"
    path.write_text(site)
    return [program, "run", "--config", str(path), "--adapter", "caddyfile"]


def _create_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate and its key to a folder, and return their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / f"{HOST}.pem", folder / f"{HOST}.key"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    encoding = (
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    key_path.write_bytes(key.private_bytes(*encoding))
    return certificate_path, key_path


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_ready(site: Site) -> None:
    end = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < end:
        try:
            if site.request("GET", "/readyz")[0].status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("the site did not get ready")


def test_proxy_passes_validators_and_encodings(site: Site) -> None:
    answer, body = site.request("GET", "/calendar.ics", headers={"Accept-Encoding": "gzip"})
    assert (answer.status, answer.headers["Content-Encoding"], body[:2]) == (200, "gzip", b"\x1f\x8b")
    tag = answer.headers["ETag"]
    assert tag.endswith('-gzip"')
    again, _ = site.request("GET", "/calendar.ics", headers={"Accept-Encoding": "gzip", "If-None-Match": tag})
    assert (again.status, again.headers["ETag"]) == (304, tag)
    head, _ = site.request("HEAD", "/calendar.ics")
    assert (head.status, head.headers["Cache-Control"]) == (200, answer.headers["Cache-Control"])


def test_proxy_tells_the_address_of_the_client(site: Site) -> None:
    names = ("X-Forwarded-For", "X_Forwarded_For", "X_Forwarded-For", "X-Forwarded_For", "X-Real-IP")
    forged = dict.fromkeys(names, "192.0.2.1")
    credentials = {"email": "ada@example.org", "password": "wrong"}
    answer, _ = site.request("POST", "/api/v1/auth/login", body=credentials, headers=forged)
    assert answer.status == 401
    [line] = [json.loads(line) for line in site.log.read_text().splitlines() if line.startswith("{")]
    assert (line["event"], line["client"]) == ("sign-in-failed", "127.0.0.1")


def test_slow_clients_do_not_occupy_the_server(site: Site) -> None:
    with ExitStack() as stack:
        for _ in range(40):
            site.send_part_of_body(stack)
        answers = [site.request("POST", "/api/v1/auth/login", body={"email": "a@example.org"}) for _ in range(8)]
    # Each request has got a thread and one of the few places for bodies.
    assert [answer.status for answer, _ in answers] == [422] * 8


def test_pages_use_secure_cookies_and_https_links(site: Site) -> None:
    answer, page = site.request("GET", "/login")
    assert answer.status == 200
    assert answer.headers["Set-Cookie"].startswith("__Host-")
    assert b"http://" not in page.replace(b"http://www.w3.org", b"")


def test_secret_urls_are_not_logged_by_the_proxy(site: Site) -> None:
    for path in (
        "/feeds/top-secret.ics",
        "/reset?token=top-secret",
        "/invitations/top-secret",
        "/calendar.ics?tag=xen",
    ):
        site.request("GET", path)
    # Caddy writes no log by default. nginx writes its log after the response.
    end = time.monotonic() + TIMEOUT_SECONDS
    while site.proxy_log.exists() and "tag=xen" not in site.proxy_log.read_text() and time.monotonic() < end:
        time.sleep(0.01)
    logged = site.proxy_log.read_text() if site.proxy_log.exists() else "tag=xen"
    assert ("tag=xen" in logged, "top-secret" in logged) == (True, False)
