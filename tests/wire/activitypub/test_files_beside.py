"""What no record can show: sound, a film beside pictures, a fifth picture. Peers see all of it."""

from __future__ import annotations

from typing import Any

import pytest

from pod.model.ids import Nsid
from pod.model.member import Member
from pod.model.resource import ResourcePath, record_key
from pod.read import record_of
from pod.write import Delete
from tests.kit.fediverse import EVERYBODY, FediPod, Peer
from tests.kit.house import owner
from tests.wire.activitypub.conftest import Tell
from tests.wire.activitypub.test_circle_files import (
    FILM,
    SOUND,
    fetched,
    files,
    kept,
    part,
    png,
    said,
)

PICTURES = [png(shade) for shade in range(6)]


def types(parts: list[dict[str, Any]]) -> list[str]:
    return [each["type"] for each in parts]


def path_of(alice: Member, url: str) -> ResourcePath:
    return ResourcePath(url.removeprefix(alice.origin))


def record_at(pod: FediPod, alice: Member, url: str) -> Any:
    held = pod.store.resource(alice.id, path_of(alice, url))
    assert held is not None
    return record_of(held)


async def posted(pod: FediPod, alice: Member, *bodies: bytes) -> str:
    parts = [
        part(alice, await kept(pod, alice, body), name=f"no {n}") for n, body in enumerate(bodies)
    ]
    return await said(pod, alice, *parts, to=[EVERYBODY])


@pytest.mark.parametrize(
    ("bodies", "shown", "embed"),
    [
        ([SOUND], ["Audio"], None),
        ([SOUND, PICTURES[0]], ["Audio", "Image"], "app.bsky.embed.images"),
        ([PICTURES[0], FILM, PICTURES[1]], ["Image", "Video", "Image"], "app.bsky.embed.images"),
        ([FILM, PICTURES[0], FILM + b"2"], ["Video", "Image", "Video"], "app.bsky.embed.video"),
        (PICTURES, ["Image"] * 6, "app.bsky.embed.images"),
    ],
)
def test_peers_see_all_in_its_order_and_a_record_what_it_can(
    tell: Tell, bodies: list[bytes], shown: list[str], embed: str | None
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = await posted(pod, alice, *bodies)
        found = files(bob)
        assert types(found) == shown
        assert [each["name"] for each in found] == [f"no {n}" for n in range(len(bodies))]
        for each, body in zip(found, bodies, strict=True):
            reply = await fetched(pod, each["url"])
            assert (reply.status_code, await reply.get_data()) == (200, body)
        record = record_at(pod, alice, url)
        assert record.get("embed", {}).get("$type") == embed
        aside = [each for each in found if "/notes/media/" in each["url"]]
        assert record["text"] == "\n".join(["look\n", *(f"📎 {each['name']}" for each in aside)])
        head = pod.store.head_seq()
        whole = (await pod.get(url))[1]
        assert whole["content"] == "<p>look</p>"
        assert (await pod.say(alice, {"type": "Update", "object": whole}))[0] == 201
        assert pod.store.head_seq() == head

    tell(story)


def test_they_come_and_go_with_edits_and_stay_through_those_of_atproto(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = await posted(pod, alice, PICTURES[0], SOUND)
        picture, sound = files(bob)
        record = record_at(pod, alice, url)
        collection, rkey = record_key(path_of(alice, url))
        await pod.record(alice, Nsid(collection), {**record, "text": "louder"}, rkey=rkey)
        assert (await pod.get(url))[1]["attachment"] == [picture, sound]
        film = part(alice, await kept(pod, alice, FILM))
        edit = {"id": url, "attachment": [{**sound, "name": "a song"}, picture, film]}
        assert (await pod.say(alice, {"type": "Update", "object": edit}))[0] == 201
        found = (await pod.get(url))[1]["attachment"]
        assert types(found) == ["Audio", "Image", "Video"]
        assert found[0] == {**sound, "name": "a song"}
        assert record_at(pod, alice, url)["text"] == "louder\n\n📎 a song\n📎 Video"
        bare = {"id": url, "attachment": [picture]}
        assert (await pod.say(alice, {"type": "Update", "object": bare}))[0] == 201
        assert (await pod.get(url))[1]["attachment"] == [picture]
        assert record_at(pod, alice, url)["text"] == "louder"
        for gone in (found[0], found[2]):
            assert (await fetched(pod, gone["url"])).status_code == 404
        assert pod.store.resources(alice.id, "/data/social/media/", after=None, limit=9) == []

    tell(story)


def test_a_post_that_another_app_deletes_takes_them_along(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = await posted(pod, alice, SOUND)
        (sound,) = files(bob)
        await pod.write.apply(owner(alice), alice.id, [Delete(path_of(alice, url))])
        assert (await fetched(pod, sound["url"])).status_code == 404
        await pod.wing.flush()
        assert pod.store.resources(alice.id, "/data/", after=None, limit=9) == []

    tell(story)


def test_no_post_shows_the_files_of_another(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await said(pod, alice, part(alice, await kept(pod, alice, png())))
        (secret,) = files(bob)
        url = await posted(pod, alice, SOUND)
        head = pod.store.head_seq()
        note = {"type": "Note", "content": "x", "to": [EVERYBODY], "attachment": [secret]}
        assert (await pod.say(alice, note))[0] == 422
        edit = {"id": url, "attachment": [secret]}
        assert (await pod.say(alice, {"type": "Update", "object": edit}))[0] == 422
        assert pod.store.head_seq() == head

    tell(story)
