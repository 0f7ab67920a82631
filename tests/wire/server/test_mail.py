"""Letters: over SMTP to the mail server of the settings, or into a folder."""

from __future__ import annotations

import asyncio
import socket
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from pod.confirm import Letter
from pod.errors import Invalid, PeerUnavailable
from server.mail import SmtpMailbox, as_message
from tests.kit.mail import MailSink
from tests.kit.whole import open_whole

LETTER = Letter("alice@mail.example", "Grüße", "Your code:\n\n    ABCDE-FGHIJ\n", "ABCDE-FGHIJ")


def test_a_letter_arrives_at_the_mail_server() -> None:
    sink = MailSink()
    try:
        asyncio.run(SmtpMailbox(sink.url, "pod@pods.example").send(LETTER))
        mail = sink.wait_for("alice@mail.example")
        assert (mail["from"], mail["subject"]) == ("pod@pods.example", "Grüße")
        assert mail["auto-submitted"] == "auto-generated"
        assert sink.code_for("alice@mail.example") == "ABCDE-FGHIJ"
    finally:
        sink.close()


def test_a_mail_server_that_is_not_there_is_a_peer_that_is_unavailable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"smtp://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(PeerUnavailable):
            asyncio.run(SmtpMailbox(url, "pod@pods.example").send(LETTER))


@pytest.mark.parametrize("url", ["mail.example", "https://mail.example", "smtp://"])
def test_an_address_of_a_mail_server_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        SmtpMailbox(url, "pod@pods.example")


def test_a_line_break_in_a_subject_starts_no_header() -> None:
    letter = Letter("a@mail.example", "Hi\r\nBcc: b@mail.example", "text")
    mail = as_message(letter, "pod@pods.example")
    assert mail["subject"] == "Hi Bcc: b@mail.example"
    assert mail["bcc"] is None


def test_without_a_mail_server_letters_lie_in_the_data_folder(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_whole(tmp_path) as whole:
            alice = await whole.join("alice")
            asked = await whole.send(
                "POST",
                "/xrpc/com.atproto.server.requestEmailConfirmation",
                token=alice.access,
            )
            assert asked.status == 200
        (file,) = (tmp_path / "outbox").iterdir()
        assert file.stat().st_mode & 0o077 == 0
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        assert mail["to"] == "alice@mail.example"

    asyncio.run(story())
