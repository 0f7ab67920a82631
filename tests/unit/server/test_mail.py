"""Whose addresses a server takes, as its settings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from pod.model.ids import Origin
from pod.settings import Settings
from server.mail import unwanted

ORIGIN = Origin("https://pods.example")


def settings(*refused: str, disposable: bool = True) -> Settings:
    return Settings(
        ORIGIN,
        Path("data"),
        refuses_disposable_email=disposable,
        refused_email_domains=refused,
    )


@pytest.mark.parametrize("domain", ["mailinator.com", "inbox.mailinator.com"])
def test_throw_away_addresses_are_refused_unless_the_operator_takes_them(domain: str) -> None:
    assert unwanted(settings())(domain)
    assert not unwanted(settings(disposable=False))(domain)


def test_domains_of_the_settings_are_refused_with_all_below_them() -> None:
    refuses = unwanted(settings("Spam.example"))
    assert refuses("spam.example")
    assert refuses("a.b.spam.example")
    assert not refuses("notspam.example")
    assert not refuses("example")
    assert not refuses("gmail.com")
