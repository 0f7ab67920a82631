"""Posts, answers, likes, boosts, polls and pictures, in both directions."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from typing import Any, Final

from tests.kit.story import picture
from tests.peers.gotosocial.app import App, eventually
from tests.peers.gotosocial.people import ALICE, BOB
from tests.peers.gotosocial.stage import Stage

POST: Final = "app.bsky.feed.post"
NOW: Final = "2026-01-02T00:00:00Z"


def at_home(app: App, words: str) -> Any:
    """The post with these words, once it is in somebody's home timeline."""

    def seen() -> Any:
        found = [one for one in app.home() if words in one["content"]]
        assert found, [one["content"] for one in app.home()]
        return found[0]

    return eventually(seen)


def gone(app: App, status: str) -> None:
    """Wait until a post is no longer there."""

    def seen() -> bool:
        return app.ask("GET", f"/api/v1/statuses/{status}").status_code == 404

    eventually(seen)


def alice_posts_by_record(stage: Stage) -> str:
    """a post by an ATProto app arrives with its link, mention, hashtag, picture and language"""
    text = "Good morning @bob@gts.test, see garden.example #garden"
    octets = text.encode()
    at, link, tag = (
        octets.index(word) for word in (b"@bob@gts.test", b"garden.example", b"#garden")
    )
    kind = "app.bsky.richtext.facet"
    bob = "https://gts.test/users/bob"

    def facet(begin: int, length: int, **feature: str) -> dict[str, Any]:
        index = {"byteStart": begin, "byteEnd": begin + length}
        return {"index": index, "features": [feature]}

    record = {
        "$type": POST,
        "text": text,
        "langs": ["en"],
        "createdAt": NOW,
        "facets": [
            facet(at, 13, **{"$type": f"{kind}#link", "uri": bob}),
            facet(link, 14, **{"$type": f"{kind}#link", "uri": "https://garden.example/"}),
            facet(tag, 7, **{"$type": f"{kind}#tag", "tag": "garden"}),
        ],
        "embed": {
            "$type": "app.bsky.embed.images",
            "images": [{"alt": "a red square", "image": stage.blob(picture("red"))}],
        },
    }
    uri = stage.put(POST, "3kgtsaaaaaa22", record)
    seen = at_home(stage.people["bob"], "Good morning")
    assert (seen["uri"], seen["visibility"], seen["language"]) == (uri, "public", "en"), seen
    assert [tag["name"] for tag in seen["tags"]] == ["garden"], seen["tags"]
    assert 'href="https://garden.example/"' in seen["content"], seen["content"]
    assert [one["acct"] for one in seen["mentions"]] == ["bob"], seen["mentions"]
    eventually(lambda: stage.people["bob"].noticed("mention"))
    media = seen["media_attachments"][0]
    assert (media["type"], media["description"]) == ("image", "a red square"), media
    return re.sub(r"\s+", " ", seen["content"])


def alice_edits_and_deletes(stage: Stage) -> str:
    """an edit and a deletion by an ATProto app follow"""
    bob = stage.people["bob"]
    uri = stage.put(POST, "3kgtsbbbbbb22", {"$type": POST, "text": "rainny", "createdAt": NOW})
    status = at_home(bob, "rainny")["id"]
    stage.put(POST, "3kgtsbbbbbb22", {"$type": POST, "text": "rainy", "createdAt": NOW})

    def edited() -> bool:
        seen = bob.get(f"/api/v1/statuses/{status}")
        assert "rainy" in seen["content"], seen
        assert seen["edited_at"], seen
        return True

    eventually(edited)
    stage.delete(uri)
    gone(bob, status)
    return ""


def bob_answers(stage: Stage) -> str:
    """bob's answer, like and boost reach alice, and his undoing of them too"""
    bob = stage.people["bob"]
    stage.put(POST, "3kgtscccccc22", {"$type": POST, "text": "who is up?", "createdAt": NOW})
    there = at_home(bob, "who is up?")
    here = at_home(stage.alice, "who is up?")["id"]
    bob.post(
        "/api/v1/statuses",
        {"status": f"@{ALICE} I am", "in_reply_to_id": there["id"], "visibility": "public"},
    )
    bob.post(f"/api/v1/statuses/{there['id']}/favourite")
    bob.post(f"/api/v1/statuses/{there['id']}/reblog")

    def counted(*expected: int) -> Callable[[], bool]:
        def seen() -> bool:
            post = stage.alice.get(f"/api/v1/statuses/{here}")
            told = tuple(post[f"{name}_count"] for name in ("replies", "favourites", "reblogs"))
            assert told == expected, told
            return True

        return seen

    eventually(counted(1, 1, 1))
    thread = stage.alice.get(f"/api/v1/statuses/{here}/context")["descendants"]
    assert [one["account"]["acct"] for one in thread] == [BOB]
    assert all(stage.alice.noticed(kind) for kind in ("mention", "favourite", "reblog"))
    bob.post(f"/api/v1/statuses/{there['id']}/unfavourite")
    bob.post(f"/api/v1/statuses/{there['id']}/unreblog")
    eventually(counted(1, 0, 0))
    return "1 reply, 1 like, 1 boost; then 1, 0, 0"


def alice_answers(stage: Stage) -> str:
    """alice reads bob's post with its warning, and her answer, like and boost reach him"""
    bob = stage.people["bob"]
    given = {"status": "It ends well", "spoiler_text": "the film", "sensitive": True}
    post = bob.post("/api/v1/statuses", {**given, "visibility": "public", "language": "en"})
    seen = at_home(stage.alice, "It ends well")
    assert (seen["spoiler_text"], seen["sensitive"]) == ("the film", True), seen
    answer = {"status": f"@{BOB} thanks", "in_reply_to_id": seen["id"], "visibility": "public"}
    stage.alice.post("/api/v1/statuses", answer)
    stage.alice.post(f"/api/v1/statuses/{seen['id']}/favourite")
    stage.alice.post(f"/api/v1/statuses/{seen['id']}/reblog")

    def told() -> bool:
        kinds = {
            one["type"]
            for one in bob.get("/api/v1/notifications", limit=40)
            if one["account"]["acct"] == ALICE
        }
        assert {"favourite", "reblog", "mention"} <= kinds, kinds
        return True

    eventually(told)
    thread = bob.get(f"/api/v1/statuses/{post['id']}/context")["descendants"]
    assert [one["account"]["acct"] for one in thread] == [ALICE], thread
    stage.alice.post(f"/api/v1/statuses/{seen['id']}/unfavourite")
    stage.alice.post(f"/api/v1/statuses/{seen['id']}/unreblog")

    def undone() -> bool:
        now = bob.get(f"/api/v1/statuses/{post['id']}")
        told = (now["favourites_count"], now["reblogs_count"])
        assert told == (0, 0), told
        return True

    eventually(undone)
    return ""


def bob_edits_and_deletes(stage: Stage) -> str:
    """bob's edit and deletion follow"""
    bob = stage.people["bob"]
    post = bob.post("/api/v1/statuses", {"status": "foggy", "visibility": "public"})["id"]
    seen = at_home(stage.alice, "foggy")["id"]
    bob.post(f"/api/v1/statuses/{post}", {"status": "foggier still"}, method="PUT")

    def edited() -> bool:
        now = stage.alice.get(f"/api/v1/statuses/{seen}")
        assert "foggier" in now["content"], now
        return True

    eventually(edited)
    bob.post(f"/api/v1/statuses/{post}", method="DELETE")
    gone(stage.alice, seen)
    return ""


def polls_are_voted_on(stage: Stage) -> str:
    """each votes in the other's poll, and the results come back"""
    told = []
    for asks, votes in ((stage.alice, stage.people["bob"]), (stage.people["bob"], stage.alice)):
        poll = {"options": ["tea", "coffee"], "expires_in": 3600}
        asked = asks.post(
            "/api/v1/statuses", {"status": "what to drink?", "poll": poll, "visibility": "public"}
        )
        seen = at_home(votes, "what to drink?")
        assert [one["title"] for one in seen["poll"]["options"]] == ["tea", "coffee"]
        votes.post(f"/api/v1/polls/{seen['poll']['id']}/votes", {"choices": [1]})

        def counted(app: App = asks, status: str = asked["id"]) -> Any:
            told = app.get(f"/api/v1/statuses/{status}")["poll"]
            counts = [one["votes_count"] for one in told["options"]]
            assert counts == [0, 1], counts
            return counts

        told.append(eventually(counted))
        asks.post(f"/api/v1/statuses/{asked['id']}", method="DELETE")
    return str(told)


def private_words(stage: Stage) -> str:
    """followers-only and direct posts reach those they are for, both ways, and nobody else"""
    bob, eve = stage.people["bob"], stage.people["eve"]
    stage.alice.post("/api/v1/statuses", {"status": "for friends", "visibility": "private"})
    assert at_home(bob, "for friends")["visibility"] == "private"
    said = f"@{BOB} for you alone"
    stage.alice.post("/api/v1/statuses", {"status": said, "visibility": "direct"})
    assert (
        eventually(
            lambda: [
                one for one in bob.noticed("mention") if "for you alone" in one["status"]["content"]
            ]
        )[0]["status"]["visibility"]
        == "direct"
    )
    assert not any("for you alone" in one["content"] for one in eve.home())
    bob.post("/api/v1/statuses", {"status": "my friends", "visibility": "private"})
    assert at_home(stage.alice, "my friends")["visibility"] == "private"
    bob.post("/api/v1/statuses", {"status": f"@{ALICE} psst", "visibility": "direct"})
    heard = eventually(
        lambda: [
            one for one in stage.alice.noticed("mention") if "psst" in one["status"]["content"]
        ]
    )
    assert heard[0]["status"]["visibility"] == "direct"
    assert stage.alice.ask("GET", "/api/v1/timelines/public").status_code == 200
    return ""


def pictures_arrive(stage: Stage) -> str:
    """public, unlisted and private pictures arrive with their descriptions, and can be seen"""
    told = []
    directions = ((stage.alice, stage.people["bob"]), (stage.people["bob"], stage.alice))
    for (says, sees), visibility in product(directions, ("public", "unlisted", "private")):
        media = says.upload(picture("blue"), "a blue square")
        words = f"{visibility} blue by {says.host}"
        given = {"status": words, "media_ids": [media], "visibility": visibility}
        says.post("/api/v1/statuses", given)
        assert at_home(sees, words)["visibility"] == visibility
        seen = at_home(sees, words)["media_attachments"][0]
        assert (seen["type"], seen["description"]) == ("image", "a blue square"), seen
        shown = eventually(lambda app=sees, url=seen["url"]: _file(app, url))
        told.append(f"{shown} bytes")
    return ", ".join(told)


def _file(app: App, url: str) -> int:
    answer = app.http.get(url.split(app.host, 1)[1])
    assert answer.status_code == 200, (url, answer.status_code)
    return len(answer.content)


SCENES: list[Callable[[Stage], str]] = [
    alice_posts_by_record,
    alice_edits_and_deletes,
    bob_answers,
    alice_answers,
    bob_edits_and_deletes,
    polls_are_voted_on,
    private_words,
    pictures_arrive,
]
