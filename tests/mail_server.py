"""An SMTP server on the loopback interface that stores email and can be configured to reject it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage


class MailServer(socketserver.ThreadingTCPServer):
    """Accepts email by SMTP (RFC 5321), with the commands that smtplib uses."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _SmtpHandler)
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.login_count = 0
        self.mail_response = self.rcpt_response = self.data_response = "250 ok"
        self.auth_response = "235 ok"
        self.offers_tls = False
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Return the MAIL_URL for this server."""
        return f"smtp://127.0.0.1:{self.server_address[1]}?from=calendar@example.org"

    @property
    def url_with_password(self) -> str:
        """Return the MAIL_URL for this server with a user name and a password."""
        return self.url.replace("//", "//user:p%40ss@")


@contextmanager
def run_mail_server() -> Iterator[MailServer]:
    """Provide a mail server that runs until the end of the block."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _SmtpHandler(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        """Reply to each command and store the email that DATA transmits."""
        self._send_line("220 here")
        for line in self.rfile:
            verb = line.split()[0].upper().decode() if line.strip() else ""
            if verb == "QUIT":
                self._send_line("221 bye")
                return
            if verb == "DATA":
                self._receive_mail()
            elif verb == "RCPT":
                self.server.recipients.append(line.decode().split("<")[1].split(">")[0])
                self._send_line(self.server.rcpt_response)
            elif verb == "AUTH":
                self.server.login_count += 1
                self._send_line(self.server.auth_response)
            elif verb == "MAIL":
                self._send_line(self.server.mail_response)
            elif verb == "EHLO":
                tls = "250-STARTTLS\r\n" if self.server.offers_tls else ""
                self._send_line(f"250-here\r\n{tls}250-AUTH PLAIN\r\n250 8BITMIME")
            elif verb == "STARTTLS":
                # The server has no trusted certificate, so it closes the connection.
                self._send_line("220 go on")
                return
            else:
                self._send_line("250 ok")

    def _receive_mail(self) -> None:
        self._send_line("354 go on")
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if self.server.data_response.startswith("2"):
            with self.server.lock:
                self.server.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
        self._send_line(self.server.data_response)

    def _send_line(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
