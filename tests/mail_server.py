"""An SMTP server on the loopback interface that stores email and can be configured to reject it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail by SMTP (RFC 5321), as far as smtplib speaks it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.logins = 0
        self.answer_to_rcpt = "250 ok"
        self.offers_tls = False
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Give the MAIL_URL that leads here."""
        return f"smtp://127.0.0.1:{self.server_address[1]}?from=calendar@example.org"

    @property
    def url_with_password(self) -> str:
        """Give the MAIL_URL of somebody who signs in here."""
        return self.url.replace("//", "//user:p%40ss@")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Give a mail server that runs until the end of the block."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        """Answer each command; one of them brings the mail."""
        self._say("220 here")
        for line in self.rfile:
            verb = line.split()[0].upper().decode() if line.strip() else ""
            if verb == "QUIT":
                self._say("221 bye")
                return
            if verb == "DATA":
                self._take_mail()
            elif verb == "RCPT":
                self.server.recipients.append(line.decode().split("<")[1].split(">")[0])
                self._say(self.server.answer_to_rcpt)
            elif verb == "AUTH":
                self.server.logins += 1
                self._say("235 ok")
            elif verb == "EHLO":
                tls = "250-STARTTLS\r\n" if self.server.offers_tls else ""
                self._say(f"250-here\r\n{tls}250-AUTH PLAIN\r\n250 8BITMIME")
            elif verb == "STARTTLS":
                # It has no certificate that anybody would trust.
                self._say("220 go on")
                return
            else:
                self._say("250 ok")

    def _take_mail(self) -> None:
        self._say("354 go on")
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        with self.server.lock:
            self.server.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
        self._say("250 taken")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
