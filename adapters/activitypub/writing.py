"""The documents by which members act: follow, like, boost, block, mute and move.

Spec: https://www.w3.org/TR/activitypub/#client-to-server-interactions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from adapters.activitypub.jsonld.context import MEDIA_TYPE, PUBLIC
from adapters.activitypub.lens import index
from adapters.activitypub.lens.act import TYPES, Act, folder
from adapters.activitypub.wing import Wing
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import ABSENT, ResourcePath
from pod.write import PutDocument

_PRIVATE: Final = frozenset({"ignore", "domain"})


def act_of(
    wing: Wing,
    member: Member,
    act: Act,
    object_id: Iri,
    *,
    to: Iri | None = None,
    more: Mapping[str, Any] | None = None,
) -> PutDocument:
    """The document of a new act about something, addressed to ``to`` (the thing itself if None)."""
    path = ResourcePath(folder(act) + wing.tids.next())
    followers = f"{member.origin}/followers"
    audience: dict[str, Any] = {"to": [to or object_id]}
    if act == "announce":
        audience = {"to": [PUBLIC], "cc": [followers, to or object_id]}
    elif act == "move":
        audience = {"to": [followers]}
    elif act in _PRIVATE:
        audience = {}
    view = {
        "id": member.url(path),
        "type": TYPES[act],
        "actor": member.webid,
        "published": wing.clock.now().isoformat().replace("+00:00", "Z"),
        "object": object_id,
        **audience,
        **(more or {}),
    }
    body = orjson.dumps(index.document(view))
    return PutDocument(path, MEDIA_TYPE, body, ABSENT, subject=object_id)
