"""Pictures, films, sounds and custom emoji of AS2 nodes as Mastodon's entities.

Spec: https://docs.joinmastodon.org/entities/MediaAttachment/, https://docs.joinmastodon.org/entities/CustomEmoji/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.mastodon.nodes import tags
from adapters.activitypub.mastodon.ports import MediaAddress
from adapters.activitypub.wing import Wing

Entity = dict[str, Any]

_KINDS: Final = {"Image": "image", "Video": "video", "Audio": "audio"}
_MIMES: Final = ("image", "video", "audio")


@dataclass(frozen=True, slots=True)
class Pictures:
    """Makes entities of files; those of other servers go by ``address``."""

    wing: Wing
    address: MediaAddress

    def file(self, url: str) -> str:
        """Where a file is shown."""
        return url if self.wing.is_local(url) else self.address(url)

    def picture(self, node: Node, key: str) -> str:
        """Where the picture in a property is shown; the server's own where there is none."""
        picture = read.node(node, key)
        url = read.iri(picture, "url") if picture is not None else read.iri(node, key)
        return self.file(url) if url is not None else f"{self.wing.server}/assets/icon.svg"

    def emojis(self, node: Node) -> list[Entity]:
        """The custom emoji that a node brings along."""
        found = []
        for tag in tags(node, "Emoji"):
            icon = read.node(tag, "icon")
            url = read.iri(icon, "url") if icon is not None else None
            if url is not None:
                shown = self.file(url)
                name = (read.text(tag, "name") or "").strip(":")
                found.append(
                    {"shortcode": name, "url": shown, "static_url": shown,
                     "visible_in_picker": False}
                )  # fmt: skip
        return found

    def attachments(self, node: Node, number: str) -> list[Entity]:
        """What is attached to a post with a short id."""
        found = []
        for place, part in enumerate(read.nodes(node, "attachment")):
            url = read.iri(part, "url") or read.iri(part, "href")
            kind = next((_KINDS[name] for name in read.types(part) if name in _KINDS), None)
            mime = (read.text(part, "mediaType") or "").partition("/")[0]
            kind = kind or (mime if mime in _MIMES else "unknown")
            if url is None or urlsplit(url).scheme not in ("http", "https"):
                continue
            found.append(attachment(attachment_id(number, place), kind, self.file(url), url, part))
        return found


def attachment_id(number: str, place: int) -> str:
    """The id of what a post shows, by the id of the post."""
    return f"{number}{place}"


def attachment(number: str, kind: str, shown: str, url: str, part: Node) -> Entity:
    """A picture, film or sound."""
    size: Entity = {}
    width, height = read.number(part, "width"), read.number(part, "height")
    if width and height:
        size = {"original": {"width": width, "height": height, "size": f"{width}x{height}",
                             "aspect": width / height}}  # fmt: skip
    point = part.get("focalPoint")
    if isinstance(point, list) and len(point) == 2:
        size["focus"] = {"x": point[0], "y": point[1]}
    is_far = shown != url
    return {
        "id": number,
        "type": kind,
        "url": shown,
        "preview_url": shown,
        "remote_url": url if is_far else None,
        "preview_remote_url": None,
        "text_url": None,
        "meta": size,
        "description": read.alt(part),
        "blurhash": read.text(part, "blurhash"),
    }
