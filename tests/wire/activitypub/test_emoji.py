"""Custom emoji: the word stays a word everywhere, and peers are told its picture."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from pod.errors import Invalid, NotFound, TooLarge
from pod.model.member import Member
from pod.model.resource import ResourcePath
from pod.read import record_of
from tests.kit.fediverse import EVERYBODY, TYPE, FediPod, Peer
from tests.wire.activitypub.conftest import Tell
from tests.wire.activitypub.test_circle_files import png


def emojis(view: Any) -> list[str]:
    return [tag["name"] for tag in view.get("tag", []) if tag["type"] == "Emoji"]


async def fetched(pod: FediPod, url: str) -> Any:
    parts = urlsplit(url)
    return await pod.client.get(parts.path, headers={"Host": parts.netloc, "Accept": TYPE})


def test_a_post_brings_the_pictures_of_its_words(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        pod.emojis.add("party", png())
        pod.emojis.add("cake", png(9))
        text = "Hi :party: and :party: at 10:30:45, x:cake: ::cake:: :none:"
        url = alice.url((await pod.note(alice, text)).path)
        await pod.wing.flush()
        note = bob.activities[-1]["object"]
        assert emojis(note) == [":party:"]
        assert ":party:" in note["content"]
        (tag,) = note["tag"]
        assert tag["id"] == f"{pod.settings.origin}/emojis/party"
        assert tag["updated"].endswith("Z")
        picture = await fetched(pod, tag["icon"]["url"])
        assert (picture.status_code, await picture.get_data()) == (200, png())
        assert picture.headers["Content-Type"] == tag["icon"]["mediaType"] == "image/png"
        shown = (await pod.get(tag["id"]))[1]
        assert {key: shown[key] for key in tag} == tag
        edit = {"type": "Update", "object": {"id": url, "content": "<p>all :cake:</p>"}}
        assert (await pod.say(alice, edit))[0] == 201
        assert emojis((await pod.get(url))[1]) == [":cake:"]
        held = pod.store.resource(alice.id, ResourcePath(url.removeprefix(alice.origin)))
        assert held is not None
        assert record_of(held)["text"] == "all :cake:"
        pod.emojis.remove("cake")
        assert emojis((await pod.get(url))[1]) == []
        assert (await fetched(pod, f"{pod.settings.origin}/emojis/cake")).status_code == 404
        assert (await fetched(pod, f"{pod.settings.origin}/emojis/party.gif")).status_code == 404
        assert (await fetched(pod, f"{alice.origin}/emojis/party.png")).status_code == 404

    tell(story)


def test_a_note_with_emoji_written_back_unchanged_is_the_same(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        pod.emojis.add("party", png())
        note = {
            "type": "Question", "summary": "w :party:", "content": "<p>x</p>", "to": [EVERYBODY],
            "oneOf": [{"type": "Note", "name": ":party:"}, {"type": "Note", "name": "no"}],
        }  # fmt: skip
        _, url = await pod.say(alice, note)
        shown = (await pod.get(url))[1]
        assert emojis(shown) == [":party:"]
        head = pod.store.head_seq()
        assert (await pod.say(alice, {"type": "Update", "object": shown}))[0] == 201
        assert pod.store.head_seq() == head
        icon = {"type": "Image", "url": bob.id}
        fake = {"type": "Emoji", "name": ":fake:", "icon": icon}
        faked = {"type": "Note", "content": "<p>:fake:</p>", "to": [EVERYBODY], "tag": [fake]}
        _, url = await pod.say(alice, faked)
        assert emojis((await pod.get(url))[1]) == []

    tell(story)


def test_names_reactions_and_posts_for_some_have_them_too(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        pod.emojis.add("party", png())
        profile = {"displayName": "Alice :party:", "description": "words"}
        await pod.record(alice, "app.bsky.actor.profile", profile, rkey="self")
        await pod.wing.flush()
        assert emojis(bob.activities[-1]["object"]) == [":party:"]
        actor = (await pod.get(alice.webid))[1]
        assert (actor["name"], emojis(actor)) == ("Alice :party:", [":party:"])
        bob.documents[f"{bob.origin}/notes/1"] = bob.note()
        react = {"type": "EmojiReact", "object": f"{bob.origin}/notes/1", "content": ":party:"}
        assert (await pod.say(alice, react))[0] == 201
        await pod.wing.flush()
        told = bob.activities[-1]
        assert (told["type"], told["content"], emojis(told)) == (
            "EmojiReact", ":party:", [":party:"],
        )  # fmt: skip
        secret = {"type": "Note", "content": "psst :party:", "to": [bob.id]}
        _, url = await pod.say(alice, secret)
        await pod.wing.flush()
        assert emojis(bob.activities[-1]["object"]) == [":party:"]
        await pod.say(alice, {"type": "Update", "object": {"id": url, "content": "psst"}})
        await pod.wing.flush()
        assert emojis(bob.activities[-1]["object"]) == []

    tell(story)


def test_what_other_servers_would_not_take_is_not_offered(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        for name in ("x", "a-b", "../x", "x" * 65, ""):
            with pytest.raises(Invalid):
                pod.emojis.add(name, png())
        for body in (b"<svg/>", b"%PDF-1", b""):
            with pytest.raises(Invalid):
                pod.emojis.add("word", body)
        with pytest.raises(TooLarge):
            pod.emojis.add("word", png() + bytes(256 * 1024))
        with pytest.raises(NotFound):
            pod.emojis.remove("word")
        assert pod.emojis.all() == {}
        pod.emojis.add("word", png())
        pod.emojis.add("word", b"GIF89a" + bytes(9))
        assert [emoji.file for emoji in pod.emojis.all().values()] == ["word.gif"]

    tell(story)
