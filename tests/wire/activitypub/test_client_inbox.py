"""What came for a member, read by their own ActivityPub client."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from pod.model.member import Member
from tests.kit.fediverse import EVERYBODY, TYPE, FediPod, Peer
from tests.wire.activitypub.conftest import Tell


async def read(pod: FediPod, member: Member, url: str) -> Any:
    parts = urlsplit(url)
    headers = {"Host": parts.netloc, "Accept": TYPE, "Authorization": f"Bearer {member.id}"}
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    response = await pod.client.get(target, headers=headers)
    assert response.status_code == 200
    return json.loads(await response.get_data())


def test_the_inbox_shows_what_came_newest_first(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        for number in range(23):
            note = {
                "id": f"{bob.origin}/notes/{number}",
                "type": "Note",
                "attributedTo": bob.id,
                "content": f"<p>{number}</p>",
                "to": [EVERYBODY, alice.webid],
                "published": f"2026-11-24T11:00:{number:02}Z",
            }
            create = bob.activity("Create", note, number, to=[EVERYBODY, alice.webid])
            assert await pod.post(bob, create) == 202
        told = await read(pod, alice, f"{alice.origin}/inbox/")
        assert told["totalItems"] == 23
        first = await read(pod, alice, told["first"])
        rest = await read(pod, alice, first["next"])
        items = first["orderedItems"] + rest["orderedItems"]
        assert [one["object"]["content"] for one in items] == [
            f"<p>{number}</p>" for number in reversed(range(23))
        ]
        assert {one["actor"] for one in items} == {bob.id}
        assert "next" not in rest

    tell(story)
