"""How a member's posts are written where an app says nothing: a choice that nobody else is told.

Spec: https://docs.joinmastodon.org/entities/Account/#source
"""

from __future__ import annotations

from typing import Any, Final

from adapters.activitypub import moderation
from adapters.activitypub.wing import Wing
from pod.model.member import Member

POSTING: Final = ("privacy", "sensitive", "language")
VISIBILITIES: Final = ("public", "unlisted", "private", "direct")


def posting_of(wing: Wing, member: Member) -> dict[str, Any]:
    """For whom, whether sensitive, and in which language a member writes."""
    told = moderation.said(wing, member, moderation.SETTINGS).get("posting")
    said: dict[str, Any] = told if isinstance(told, dict) else {}
    privacy = said.get("privacy")
    return {
        "privacy": privacy if privacy in VISIBILITIES else "public",
        "sensitive": said.get("sensitive") is True,
        "language": said.get("language"),
    }
