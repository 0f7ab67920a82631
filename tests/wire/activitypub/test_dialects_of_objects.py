"""Objects as the peers' serialisers write them: each is kept whole for the member it answers.

Written after the serialisers of the servers that are named.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from pod.model.member import Member
from tests.kit.fediverse import AS2, EVERYBODY, FediPod, Peer
from tests.wire.activitypub.conftest import Tell

Shape = Callable[[Peer, Member, str], dict[str, Any]]


def common(bob: Peer, alice: Member, url: str) -> dict[str, Any]:
    return {
        "id": f"{bob.origin}/objects/1",
        "attributedTo": bob.id,
        "inReplyTo": url,
        "published": "2026-11-24T11:00:00Z",
        "to": [EVERYBODY],
        "cc": [f"{bob.id}/followers", alice.webid],
        "content": "<p>Hi</p>",
    }


def mastodon(bob: Peer, alice: Member, url: str) -> dict[str, Any]:
    """A status with a warning, a picture with blurhash, an emoji and a quote policy."""
    return common(bob, alice, url) | {
        "type": "Note",
        "summary": "plot",
        "sensitive": True,
        "url": f"{bob.origin}/@bob/1",
        "atomUri": f"{bob.origin}/objects/1",
        "conversation": "tag:peer.test,2026:objectId=1:objectType=Conversation",
        "contentMap": {"en": "<p>Hi</p>"},
        "interactionPolicy": {"canQuote": {"automaticApproval": [EVERYBODY]}},
        "attachment": [
            {
                "type": "Document",
                "mediaType": "image/webp",
                "url": "https://files.peer.test/1.webp",
                "name": "A tree",
                "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
                "focalPoint": [0.0, -0.3],
                "width": 640,
                "height": 480,
            }
        ],
        "tag": [
            {"type": "Mention", "href": alice.webid, "name": "@alice@alice.test"},
            {
                "id": f"{bob.origin}/emojis/7",
                "type": "Emoji",
                "name": ":blob:",
                "updated": "2025-01-01T00:00:00Z",
                "icon": {"type": "Image", "mediaType": "image/png", "url": "https://x.test/b.png"},
            },
        ],
        "replies": {
            "id": f"{bob.origin}/objects/1/replies",
            "type": "Collection",
            "first": {"type": "CollectionPage", "partOf": f"{bob.origin}/objects/1/replies",
                      "items": []},
        },
    }  # fmt: skip


def question(bob: Peer, alice: Member, url: str) -> dict[str, Any]:
    """A poll, its results in it."""
    options = [
        {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": votes}}
        for name, votes in (("Yes", 3), ("No", 1))
    ]
    return common(bob, alice, url) | {
        "type": "Question",
        "oneOf": options,
        "endTime": "2026-11-25T11:00:00Z",
        "votersCount": 4,
    }


def gotosocial(bob: Peer, alice: Member, url: str) -> dict[str, Any]:
    """Single values without lists, a policy, and the older names of it."""
    return common(bob, alice, url) | {
        "type": "Note",
        "to": EVERYBODY,
        "cc": [f"{bob.id}/followers", alice.webid],
        "attachment": [],
        "tag": {"type": "Mention", "href": alice.webid, "name": "@alice@alice.test"},
        "interactionPolicy": {
            "canLike": {"always": [EVERYBODY], "approvalRequired": []},
            "canReply": {"automaticApproval": EVERYBODY},
        },
        "sensitive": False,
        "summary": "",
    }


def pixelfed(bob: Peer, alice: Member, url: str) -> dict[str, Any]:
    """Capabilities, a place, and pictures as `Image`."""
    return common(bob, alice, url) | {
        "type": "Note",
        "summary": None,
        "sensitive": False,
        "commentsEnabled": True,
        "capabilities": {"announce": EVERYBODY, "like": EVERYBODY, "reply": EVERYBODY},
        "location": {"type": "Place", "name": "Oslo", "longitude": 10.7, "latitude": 59.9},
        "attachment": [{"type": "Image", "mediaType": "image/jpeg", "url": "https://x.test/1.jpg",
                        "name": None}],
        "tag": [],
    }  # fmt: skip


def peertube(bob: Peer, alice: Member, url: str) -> dict[str, Any]:
    """A comment on a video: several authors' fields are lists."""
    return common(bob, alice, url) | {
        "type": "Note",
        "mediaType": "text/markdown",
        "content": "Hi",
        "replyApproval": None,
        "to": [EVERYBODY],
        "tag": [{"type": "Mention", "href": alice.webid, "name": "alice"}],
    }


def lemmy(bob: Peer, alice: Member, url: str) -> dict[str, Any]:
    """A comment with its source, an audience and a language object."""
    return common(bob, alice, url) | {
        "type": "Note",
        "mediaType": "text/html",
        "source": {"content": "Hi", "mediaType": "text/markdown"},
        "audience": f"{bob.origin}/c/garden",
        "language": {"identifier": "en", "name": "English"},
        "distinguished": False,
        "attachment": [],
        "tag": [],
    }


def bonfire(bob: Peer, alice: Member, url: str) -> dict[str, Any]:
    """An article, told with a preview for those who know none."""
    return common(bob, alice, url) | {
        "type": "Article",
        "name": "On soil",
        "source": {"content": "# On soil", "mediaType": "text/markdown"},
        "preview": {"type": "Note", "content": "<p>On soil</p>"},
        "context": f"{bob.origin}/contexts/1",
    }


def misskey(bob: Peer, alice: Member, url: str) -> dict[str, Any]:
    """A note with its own markup, and a quote in three spellings."""
    return common(bob, alice, url) | {
        "type": "Note",
        "_misskey_content": "$[x2 Hi]",
        "source": {"content": "$[x2 Hi]", "mediaType": "text/x.misskeymarkdown"},
        "_misskey_quote": url,
        "quoteUrl": url,
        "_misskey_summary": None,
        "sensitive": False,
    }


SHAPES = [mastodon, question, gotosocial, pixelfed, peertube, lemmy, bonfire, misskey]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_an_answer_in_a_peers_own_shape_is_kept_whole(tell: Tell, shape: Shape) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = alice.url((await pod.note(alice)).path)
        post = shape(bob, alice, url)
        context = [AS2, {"toot": "http://joinmastodon.org/ns#", "Emoji": "toot:Emoji"}]
        create = bob.activity("Create", post) | {"@context": context}
        assert await pod.post(bob, create) == 202
        (path,) = pod.store.about(alice.id, "/inbox/", post["id"])
        held = pod.store.resource(alice.id, path)
        assert held is not None
        kept = orjson.loads(held.body)
        assert {key: kept.get(key) for key in post} == post
        replies = (await pod.get(f"{url}?c=replies"))[1]
        assert replies["first"]["items"] == [post["id"]]

        changed = {**post, "content": "<p>Ho</p>", "updated": "2026-11-24T11:30:00Z"}
        assert await pod.post(bob, bob.activity("Update", changed)) == 202
        held = pod.store.resource(alice.id, path)
        assert held is not None
        assert orjson.loads(held.body)["content"] == "<p>Ho</p>"

        gone: Any = {"id": post["id"], "type": "Tombstone"}
        assert await pod.post(bob, bob.activity("Delete", gone)) == 202
        assert pod.store.about(alice.id, "/inbox/", post["id"]) == []
        assert (await pod.get(f"{url}?c=replies"))[1]["totalItems"] == 0

    tell(story)


@pytest.mark.parametrize("shape", [mastodon, question, gotosocial, misskey])
def test_a_member_answers_it_with_whichever_client(tell: Tell, shape: Shape) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        post = {"@context": AS2, **shape(bob, alice, f"{bob.origin}/objects/0")}
        bob.documents[post["id"]] = post
        answer = {"type": "Note", "content": "<p>Yes</p>", "inReplyTo": post["id"]}
        status, url = await pod.say(alice, answer)
        assert status == 201
        await pod.wing.flush()
        (create,) = [a for a in bob.activities if a["type"] == "Create"]
        told = create["object"]
        assert (told["id"], told["inReplyTo"]) == (url, post["id"])
        assert bob.id in told["cc"]
        mention = {"type": "Mention", "href": bob.id, "name": "@bob@peer.test"}
        assert mention in told["tag"]
        if "conversation" in post:
            assert told["conversation"] == post["conversation"]

    tell(story)
