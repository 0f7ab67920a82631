"""The server's custom emoji as AS2 tags them: words stay ``:words:``, a tag brings the picture.

Spec: https://docs.joinmastodon.org/spec/activitypub/#Emoji
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from adapters.activitypub.lens.published import View
from pod.model.emoji import Emoji
from pod.model.ids import Origin

_WORD: Final = re.compile(r"(?<![\w:]):([A-Za-z0-9_]{2,64}):(?![\w:])")
"""Where Mastodon finds one."""


def tags(held: Mapping[str, Emoji], server: Origin, *texts: str) -> list[View]:
    """The tags of what is offered and stands in the texts, each once."""
    words = dict.fromkeys(word for text in texts if ":" in text for word in _WORD.findall(text))
    return [get(held[word], server) for word in words if word in held]


def get(emoji: Emoji, server: Origin) -> View:
    """An emoji, without context."""
    at = f"{server}/emojis/"
    return {
        "id": at + emoji.name,
        "type": "Emoji",
        "name": f":{emoji.name}:",
        "updated": emoji.updated_at.isoformat().replace("+00:00", "Z"),
        "icon": {"type": "Image", "mediaType": emoji.media_type, "url": at + emoji.file},
    }
