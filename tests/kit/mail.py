"""A mail server on loopback that keeps what it is given, for tests to read.

Spec: RFC 5321
"""

from __future__ import annotations

import re
import socketserver
import threading
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

CODE = re.compile(r"\b[A-Z2-7]{5}-[A-Z2-7]{5}\b")


class _Talk(socketserver.StreamRequestHandler):
    """One client's talk."""

    server: _Listener

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        self._say("220 sink")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"QUIT":
                self._say("221 bye")
                return
            if verb == b"DATA":
                self._say("354 go on")
                body = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.kept.append(
                    cast("EmailMessage", message_from_bytes(body, policy=policy.default))
                )
            self._say("250 ok")


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.kept: list[EmailMessage] = []
        super().__init__(("127.0.0.1", 0), _Talk)


class MailSink:
    """Listens until `close`; ``url`` is where to send."""

    def __init__(self) -> None:
        self._listener = _Listener()
        self.port: int = self._listener.server_address[1]
        self.url = f"smtp://127.0.0.1:{self.port}"
        threading.Thread(target=self._listener.serve_forever, daemon=True).start()

    def to(self, address: str) -> list[EmailMessage]:
        """What was sent to an address, oldest first."""
        return [mail for mail in list(self._listener.kept) if address in str(mail["to"])]

    def wait_for(self, address: str, count: int = 1, within_s: float = 8) -> EmailMessage:
        """The mail number ``count`` to an address; fails when it does not come."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            found = self.to(address)
            if len(found) >= count:
                return found[count - 1]
            time.sleep(0.02)
        raise AssertionError(f"no mail {count} to {address}")

    def code_for(self, address: str, count: int = 1, within_s: float = 8) -> str:
        """The code in mail number ``count`` to an address."""
        mail = self.wait_for(address, count, within_s)
        text = mail.get_body(("plain", "html"))
        assert text is not None
        found = CODE.search(text.get_content())
        assert found, "no code in the mail"
        return found.group()

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown()
        self._listener.server_close()
