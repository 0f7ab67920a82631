"""What a member types, as the HTML of a post: links, mentions and hashtags are found in it.

Spec: https://docs.joinmastodon.org/methods/statuses/#create (status)
"""

from __future__ import annotations

import re
from html import escape
from typing import Final

from adapters.activitypub.addresses import find
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.wing import Wing
from pod.errors import PodError
from pod.model.ids import Iri
from pod.model.member import Member

_ADDRESS: Final = r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]"
_URL: Final = re.compile(_ADDRESS)
_FOUND: Final = re.compile(
    rf"(?P<url>{_ADDRESS})"
    r"|(?<![\w/@])@(?P<name>[A-Za-z0-9_.-]{1,64})@(?P<host>[A-Za-z0-9.-]+[A-Za-z0-9](?::\d{1,5})?)"
    r"|(?<![\w&/])#(?P<tag>\w*[^\W\d_]\w*)"
)
MOST_MENTIONS: Final = 20


async def html_of(wing: Wing, member: Member, text: str) -> tuple[str, list[Node]]:
    """The HTML of plain words, and the mentions in it; names that lead to nobody stay words."""
    names = wing.presented(member).names
    parts: list[str] = []
    mentions: dict[str, Node] = {}
    at = 0
    for match in _FOUND.finditer(text):
        parts.append(escape(text[at : match.start()], quote=False))
        at = match.end()
        parts.append(escape(match[0], quote=False))
        if match["url"]:
            parts[-1] = f'<a href="{escape(match[0])}">{escape(match[0], quote=False)}</a>'
        elif match["tag"]:
            href = escape(names.tag_url(match["tag"]))
            parts[-1] = f'<a href="{href}" class="mention hashtag" rel="tag">#{match["tag"]}</a>'
        elif len(mentions) < MOST_MENTIONS and (actor := await _actor(wing, match[0])):
            mentions[actor] = {"type": "Mention", "href": actor, "name": match[0]}
            words = escape(match[0], quote=False)
            parts[-1] = f'<a href="{escape(actor)}" class="u-url mention">{words}</a>'
    parts.append(escape(text[at:], quote=False))
    return _paragraphs("".join(parts)), list(mentions.values())


def html_of_plain(text: str) -> str:
    """The HTML of somebody's plain words, links in it."""
    escaped = escape(text, quote=False)
    return _paragraphs(_URL.sub(r'<a href="\g<0>">\g<0></a>', escaped))


def _paragraphs(html: str) -> str:
    paragraphs = re.split(r"\n{2,}", html.replace("\r\n", "\n").strip("\n"))
    return "".join(f"<p>{each}</p>" for each in paragraphs if each).replace("\n", "<br>")


async def _actor(wing: Wing, address: str) -> Iri | None:
    try:
        found = await find(wing, address)
        if wing.local_actor(found) is None:
            await wing.actors.actor(found)
    except PodError:
        return None
    return found
