"""Pictures, films and sounds of posts for some: seen by whom the post is for, gone with it."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image

from pod.access.agent import SYSTEM
from pod.errors import NotFound
from pod.model.ids import Cid
from pod.model.member import Member, Standing
from pod.model.resource import ResourcePath
from pod.records.cid import cid_text
from pod.write import Delete
from tests.kit.fediverse import EVERYBODY, KEYS, FediPod, Peer
from tests.kit.house import owner
from tests.wire.activitypub.conftest import Tell

SOUND = b"OggS" + bytes(60)
FILM = bytes(4) + b"ftypmp42" + bytes(60)


def png(shade: int = 0) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 4), (shade, 60, 60)).save(out, "PNG")
    return out.getvalue()


async def kept(pod: FediPod, member: Member, body: bytes) -> Cid:
    return (await pod.media.keep(member.id, body, None)).cid


def part(member: Member, cid: Cid, **more: Any) -> dict[str, Any]:
    return {"type": "Document", "url": f"{member.origin}/blobs/{cid_text(cid)}", **more}


async def said(pod: FediPod, alice: Member, *parts: dict[str, Any], **more: Any) -> str:
    note = {
        "type": "Note",
        "content": "<p>look</p>",
        "to": [f"{alice.origin}/followers"],
        "attachment": list(parts),
    }
    status, url = await pod.say(alice, note | more)
    assert status == 201
    await pod.wing.flush()
    return str(url)


async def fetched(pod: FediPod, url: str, **headers: str) -> Any:
    """What a server that does not sign gets, as Mastodon fetches files."""
    parts = urlsplit(url)
    return await pod.client.get(parts.path, headers={"Host": parts.netloc, **headers})


def files(peer: Peer) -> list[dict[str, Any]]:
    return list(peer.activities[-1]["object"].get("attachment", []))


def test_followers_see_the_picture_and_the_public_does_not(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        cid = await kept(pod, alice, png())
        given = part(alice, cid, name="a field", width=8, height=4, focalPoint=[0.5, -0.5])
        url = await said(pod, alice, given)
        (shown,) = files(bob)
        assert (shown["type"], shown["mediaType"], shown["name"]) == (
            "Image", "image/png", "a field",
        )  # fmt: skip
        assert (shown["width"], shown["height"], shown["focalPoint"]) == (8, 4, [0.5, -0.5])
        assert len(shown["blurhash"]) > 6
        reply = await fetched(pod, shown["url"])
        assert (reply.status_code, await reply.get_data()) == (200, png())
        assert reply.headers["Content-Type"] == "image/png"
        assert reply.headers["Cache-Control"] == "private, no-cache"
        some = await fetched(pod, shown["url"], Range="bytes=0-3")
        assert (some.status_code, await some.get_data()) == (206, png()[:4])
        assert cid_text(cid) not in shown["url"]
        assert (await fetched(pod, given["url"])).status_code == 404
        assert (await fetched(pod, f"{alice.origin}/notes/media/guessed")).status_code == 404
        with pytest.raises(NotFound):
            pod.media.public(alice.id, cid)
        assert pod.store.repo_blobs(alice.id, since=None, after=None, limit=9) == []
        assert (await pod.signed_get(bob, url))[1]["attachment"] == [shown]

    tell(story)


def test_a_file_is_gone_with_its_post(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        cid = await kept(pod, alice, png())
        url = await said(pod, alice, part(alice, cid))
        (shown,) = files(bob)
        assert (await pod.say(alice, {"type": "Delete", "object": url}))[0] == 201
        assert (await fetched(pod, shown["url"])).status_code == 404
        await pod.wing.flush()
        assert pod.store.resources(alice.id, "/data/social/", after=None, limit=9) == []
        pod.clock.pass_by(timedelta(days=2).total_seconds())
        await pod.media.collect()
        assert not pod.store.blob_is_held(cid)

    tell(story)


def test_a_file_is_gone_too_when_the_post_is_deleted_as_a_document(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = await said(pod, alice, part(alice, await kept(pod, alice, png())))
        (shown,) = files(bob)
        name = url.rpartition("/")[2]
        document = Delete(ResourcePath(f"/data/social/note/{name}"))
        await pod.write.apply(owner(alice), alice.id, [document])
        assert (await fetched(pod, shown["url"])).status_code == 404
        await pod.wing.flush()
        assert pod.store.resources(alice.id, "/data/social/", after=None, limit=9) == []

    tell(story)


def test_an_edit_takes_files_away_and_adds_others(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        parts = [part(alice, await kept(pod, alice, body)) for body in (png(), SOUND)]
        url = await said(pod, alice, *parts)
        picture, sound = files(bob)
        assert (sound["type"], sound["mediaType"]) == ("Audio", "audio/ogg")
        film = part(alice, await kept(pod, alice, FILM))
        edit = {"id": url, "attachment": [{**picture, "name": "now with words"}, film]}
        assert (await pod.say(alice, {"type": "Update", "object": edit}))[0] == 201
        await pod.wing.flush()
        kept_one, new = files(bob)
        assert kept_one == {**picture, "name": "now with words"}
        assert new["type"] == "Video"
        for address, status in ((picture, 200), (new, 200), (sound, 404)):
            assert (await fetched(pod, address["url"])).status_code == status
        words = {"id": url, "content": "<p>words alone</p>"}
        assert (await pod.say(alice, {"type": "Update", "object": words}))[0] == 201
        await pod.wing.flush()
        assert files(bob) == [kept_one, new]
        bare = {"id": url, "attachment": []}
        assert (await pod.say(alice, {"type": "Update", "object": bare}))[0] == 201
        await pod.wing.flush()
        assert files(bob) == []
        held = pod.store.resources(alice.id, "/data/social/", after=None, limit=9)
        assert [row.path for row in held] == [f"/data/social/note/{url.rpartition('/')[2]}"]

    tell(story)


def test_a_picture_of_a_public_post_stays_when_a_private_one_goes(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        cid = await kept(pod, alice, png())
        open_url = await said(pod, alice, part(alice, cid), to=[EVERYBODY])
        url = await said(pod, alice, part(alice, cid))
        (shown,) = files(bob)
        await pod.say(alice, {"type": "Delete", "object": url})
        assert (await fetched(pod, shown["url"])).status_code == 404
        (public,) = (await pod.get(open_url))[1]["attachment"]
        assert (await fetched(pod, public["url"])).status_code == 200

    tell(story)


def test_only_files_of_the_author_are_shown(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol = await pod.member("carol")
        hers = await kept(pod, carol, png(9))
        paper = (await pod.media.keep(alice.id, b"%PDF-1.7 text", None)).cid
        note = {"type": "Note", "content": "x", "to": [bob.id]}
        head = pod.store.head_seq()
        other = await said(pod, carol, part(carol, hers), to=[bob.id])
        (secret,) = (await pod.signed_get(bob, other))[1]["attachment"]
        for wrong in (
            part(alice, hers),
            part(carol, hers),
            part(alice, paper),
            secret,
            {"type": "Image", "url": "http://eve.test/1.png"},
            {"type": "Image"},
        ):
            assert (await pod.say(alice, {**note, "attachment": [wrong]}))[0] == 422
        mine = part(alice, await kept(pod, alice, png()))
        assert (await pod.say(alice, {**note, "attachment": [mine] * 17}))[0] == 422
        assert pod.store.head_seq() == head + 1  # carol's

    tell(story)


def test_nobody_is_served_files_of_who_is_not_there(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await said(pod, alice, part(alice, await kept(pod, alice, png())))
        (shown,) = files(bob)
        elsewhere = shown["url"].replace(alice.origin, (await pod.member("carol")).origin)
        assert (await fetched(pod, elsewhere)).status_code == 404
        await pod.accounts.set_standing(SYSTEM, alice.id, Standing.DEACTIVATED)
        assert (await fetched(pod, shown["url"])).status_code == 404

    tell(story)


POLL = {
    "type": "Question",
    "content": "<p>Where?</p>",
    "oneOf": [{"type": "Note", "name": "Here"}, {"type": "Note", "name": "There"}],
    "endTime": "2026-11-24T13:00:00Z",
}


def vote(peer: Peer, url: str, name: str, number: int, to: str) -> dict[str, Any]:
    note = {
        "id": f"{peer.id}#votes/{number}", "type": "Note", "name": name, "attributedTo": peer.id,
        "to": [to], "inReplyTo": url,
    }  # fmt: skip
    return peer.activity("Create", note, number, to=[to])


def totals(view: Any) -> list[int]:
    return [option["replies"]["totalItems"] for option in view["oneOf"]]


def test_a_poll_for_some_is_counted_and_told_to_them_alone(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        repo = pod.store.repo(alice.id)
        picture = part(alice, await kept(pod, alice, png()))
        url = await said(pod, alice, picture, **POLL)
        asked = bob.activities[-1]["object"]
        assert (asked["type"], totals(asked), asked["votersCount"]) == ("Question", [0, 0], 0)
        assert len(asked["attachment"]) == 1
        for peer, name, number in ((bob, "There", 1), (bob, "Here", 2), (eve, "Here", 3)):
            assert await pod.post(peer, vote(peer, url, name, number, alice.webid)) == 202
        await pod.wing.count_polls()
        await pod.wing.flush()
        update = bob.activities[-1]
        assert (update["type"], update["to"]) == ("Update", [f"{alice.origin}/followers"])
        assert (totals(update["object"]), update["object"]["votersCount"]) == ([0, 1], 1)
        assert "updated" not in update["object"]
        assert eve.received == []
        pod.clock.pass_by(7200)
        await pod.post(bob, vote(bob, url, "Here", 4, alice.webid))
        await pod.wing.count_polls()
        await pod.wing.flush()
        last = bob.activities[-1]["object"]
        assert (last["closed"], totals(last)) == (POLL["endTime"], [0, 1])
        assert last["attachment"] == asked["attachment"]
        await pod.wing.count_polls()
        assert pod.edges.voted() == []
        assert pod.store.repo(alice.id) == repo

    tell(story)


def test_the_words_of_a_poll_for_some_change_and_its_choices_do_not(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = await said(pod, alice, **POLL, contentMap={"en": "<p>Where?</p>"})
        await pod.post(bob, vote(bob, url, "There", 1, alice.webid))
        await pod.wing.count_polls()
        words = {"id": url, "type": "Question", "content": "<p>Where, then?</p>"}
        assert (await pod.say(alice, {"type": "Update", "object": words}))[0] == 201
        await pod.wing.flush()
        shown = bob.activities[-1]["object"]
        assert (shown["content"], totals(shown)) == ("<p>Where, then?</p>", [0, 1])
        assert shown["contentMap"] == {"en": "<p>Where, then?</p>"}
        assert shown["updated"] >= shown["published"]
        other = {"id": url, "oneOf": [{"type": "Note", "name": "x"}, {"type": "Note", "name": "y"}]}
        assert (await pod.say(alice, {"type": "Update", "object": other}))[0] == 409
        await pod.say(alice, {"type": "Delete", "object": url})
        await pod.post(bob, vote(bob, url, "There", 2, alice.webid))
        await pod.wing.count_polls()
        assert pod.edges.voted() == []

    tell(story)


def test_a_member_of_the_same_pod_votes_if_the_poll_is_for_them(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol, dave = await pod.member("carol"), await pod.member("dave")
        url = await said(pod, alice, **POLL, to=[carol.webid])
        choice = {"type": "Note", "name": "Here", "inReplyTo": url}
        assert (await pod.say(dave, {"type": "Create", "object": choice}))[0] == 404
        assert (await pod.say(carol, {"type": "Create", "object": choice}))[0] == 201

    tell(story)
