"""Letters of the server: by SMTP, or into a folder where a developer (and a test) reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import structlog

from pod.confirm import Letter, Mailbox
from pod.errors import Invalid, PeerUnavailable
from pod.settings import Settings

TIMEOUT_S: Final = 20.0
_PORTS: Final = {"smtp": 587, "smtps": 465}

log = structlog.get_logger()


def mailbox(settings: Settings) -> Mailbox:
    """Where letters go: the SMTP server of the settings, or else ``outbox/`` in the data folder."""
    sender = settings.email_from or f"noreply@{settings.host_name.split(':')[0]}"
    if settings.smtp_url is None:
        return FolderMailbox(settings.data_dir / "outbox", sender)
    return SmtpMailbox(settings.smtp_url, sender)


def unwanted(settings: Settings) -> Callable[[str], bool]:
    """Whether addresses of a domain, or of one above it, are refused by the settings."""
    refused = {domain.lower() for domain in settings.refused_email_domains}
    if settings.refuses_disposable_email:
        from disposable_email_domains import blocklist

        refused |= blocklist

    def is_unwanted(domain: str) -> bool:
        labels = domain.split(".")
        return any(".".join(labels[start:]) in refused for start in range(len(labels)))

    return is_unwanted


class SmtpMailbox:
    """Sends through ``smtp://user:password@host:587`` (STARTTLS where offered) or ``smtps://``."""

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise Invalid("smtp_url must be smtp://host or smtps://host")
        self._host = parts.hostname
        self._port = parts.port or _PORTS[parts.scheme]
        self._is_tls = parts.scheme == "smtps"
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._sender = sender

    async def send(self, letter: Letter) -> None:
        """Send a letter; raises PeerUnavailable when the server does not take it."""
        import aiosmtplib  # not every pod has a mail server

        try:
            await aiosmtplib.send(
                as_message(letter, self._sender),
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._is_tls,
                timeout=TIMEOUT_S,
            )
        except (aiosmtplib.SMTPException, OSError) as err:
            log.warning("letter not sent", subject=letter.subject, reason=type(err).__name__)
            raise PeerUnavailable("The mail could not be sent; try again later.") from err


class FolderMailbox:
    """Puts each letter into a file of its own, ``{time}-{address}.eml``, readable by us alone."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, letter: Letter) -> None:
        """Put a letter into the folder."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{letter.to.replace('/', '_')[:100]}.eml"
        content = as_message(letter, self._sender).as_bytes()
        await asyncio.to_thread(self._put, name, content)

    def _put(self, name: str, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)


def as_message(letter: Letter, sender: str) -> EmailMessage:
    """A letter as it goes over the wire."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = " ".join(letter.subject.split())  # a line break would end the header
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">"))
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message
