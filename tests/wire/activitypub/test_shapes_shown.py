"""Shapes that peers' documents have, as a member's app shows them: found by what was recorded.

`tests.peers.dialects` plays really recorded documents; these are written by us, one for each shape
that was once misread there, and go the same way.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.kit.fediverse import AS2, EVERYBODY
from tests.kit.stage import Node, Stage, Template
from tests.peers.dialects import relate
from tests.peers.dialects.__main__ import judge, player
from tests.peers.dialects.play import Verdict
from tests.peers.dialects.recorded import Document

PEER = "https://peer.test"
BOB, GROUP = f"{PEER}/users/bob", f"{PEER}/c/garden"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return asyncio.run(Template.make(Path(tmp_path_factory.mktemp("shapes")) / "template"))


def post(kind: str, **more: Any) -> Node:
    return {
        "@context": AS2, "id": f"{PEER}/posts/1", "type": kind, "attributedTo": BOB,
        "to": [EVERYBODY], "published": "2025-03-01T10:00:00Z", **more,
    }  # fmt: skip


def activity(kind: str, actor: str, about: Any, **more: Any) -> Node:
    return {
        "@context": AS2, "id": f"{actor}/{kind.lower()}", "type": kind, "actor": actor,
        "object": about, "to": [EVERYBODY], **more,
    }  # fmt: skip


SHAPES: dict[str, Node] = {
    "a forum's page with its language": post(
        "Page", name="Beans", content="<p>Grow &lt;them&gt;</p>", mediaType="text/html",
        language={"identifier": "fr", "name": "Français"}, audience=GROUP,
        attachment=[{"type": "Link", "href": "https://beans.example/"}],
    ),
    "a page that is a title and a short form": post("Page", name="Beans", summary="Beans #green"),
    "a page whose short form is its title": post("Page", name="Beans", summary="Beans"),
    "a film of a channel and a person, told in Markdown": post(
        "Video", name="Soil", content="One & <two>\r\n\r\nhttps://soil.example/x", tag=[],
        mediaType="text/markdown", language={"identifier": "und", "name": "?"},
        attributedTo=[{"type": "Group", "id": GROUP}, {"type": "Person", "id": BOB}],
        url=[{"type": "Link", "mediaType": "video/mp4", "href": f"{PEER}/1.mp4"},
             {"type": "Link", "mediaType": "text/html", "href": f"{PEER}/w/1"}],
    ),
    "an event": post("Event", name="Harvest", content="<p>Come</p>", startTime="2025-09-01"),
    "a sound": post("Audio", name="Rain", summary="An hour of it", url=f"{PEER}/rain"),
    "an article with a short form": post(
        "Article", name="On soil", summary="<p>In short</p>", content="<p>At length</p>",
        preview={"type": "Note", "content": "In short"},
    ),
    "a picture whose words are its summary": post(
        "Note", content="<p>Look</p>",
        attachment=[{"type": "Document", "mediaType": "image/png", "url": f"{PEER}/1.png",
                     "summary": "A tree"}],
    ),
    "a language without words": post(
        "Note", content="<p>Hi</p>", contentMap={"en": None}, summary="plot", sensitive=True,
    ),
    "a boost for followers": activity(
        "Announce", BOB, post("Note", content="<p>x</p>", to=[f"{BOB}/followers"]),
        to=[f"{BOB}/followers"],
    ),
    "an answer that only a group tells of": activity(
        "Announce", GROUP, activity("Create", BOB, post("Note", content="<p>Yes</p>",
                                                        inReplyTo=f"{PEER}/posts/0")),
    ),
    "an edit that only a group tells of": activity(
        "Announce", GROUP, activity("Update", BOB, post("Note", content="<p>Better</p>")),
    ),
    "a deletion that only a group tells of": activity(
        "Announce", GROUP, activity("Delete", BOB, f"{PEER}/posts/1"),
    ),
    "a deletion by somebody else of the group": activity(
        "Announce", GROUP, activity("Delete", f"{PEER}/users/moderator", f"{PEER}/posts/1"),
    ),
    "an actor who changed": activity(
        "Update", BOB, {"id": BOB, "type": "Person", "preferredUsername": "bob", "name": "Bob 2",
                        "inbox": f"{BOB}/inbox", "followers": f"{BOB}/followers"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_the_shape_is_shown(template: Template, shape: str) -> None:
    node = SHAPES[shape]
    verdict = asyncio.run(judge(template, Document("ours", shape, node), {}))
    assert verdict.outcome == "understood", verdict


def test_the_title_of_a_film_leads_to_its_page(template: Template) -> None:
    film = SHAPES["a film of a channel and a person, told in Markdown"]

    async def story() -> str:
        async with template.stage({film["id"]: film}) as stage:
            stage.world.need_actor(BOB)
            shown = await stage.find(film["id"], "statuses")
            assert shown is not None
            return str(shown["content"])

    html = asyncio.run(story())
    assert html.startswith(f'<p><strong><a href="{PEER}/w/1"')
    assert "<p>One &amp; &lt;two&gt;</p>" in html
    assert ">https://soil.example/x</a>" in html


def passed_on(template: Template, inner: Node, world: dict[str, Any]) -> Stage:
    """What stands after a group passed something on, in a world that answers so."""

    async def story() -> Stage:
        async with template.stage(world) as stage:
            inner["object"] = stage.post
            stage.world.documents |= {
                key: {**value, "object": stage.post} for key, value in world.items()
            }
            stage.world.need_actor(BOB)
            status, words = await stage.deliver(activity("Announce", GROUP, inner))
            assert status == 202, words
            return stage

    return asyncio.run(story())


def test_a_like_that_a_group_tells_of_counts_once_its_own_server_shows_it(
    template: Template,
) -> None:
    like = activity("Like", BOB, "")
    assert relate.standing(passed_on(template, like, {}), "Like") == 0
    assert relate.standing(passed_on(template, like, {like["id"]: like}), "Like") == 1
    other = {**like, "actor": f"{PEER}/users/eve"}
    assert relate.standing(passed_on(template, like, {like["id"]: other}), "Like") == 0


def test_a_group_cannot_use_up_the_id_of_what_an_author_will_say(template: Template) -> None:
    note = post("Note", content="<p>x</p>")
    end = {**activity("Delete", BOB, note["id"]), "id": f"{note['id']}#delete"}

    async def story() -> list[int]:
        async with template.stage({note["id"]: note}) as stage:
            answer = {**note, "inReplyTo": stage.post}
            stage.world.documents[note["id"]] = answer
            stage.world.need_actor(BOB)
            lie = {**activity("Update", BOB, answer), "id": end["id"]}
            told = []
            for said in (activity("Announce", GROUP, lie), end):
                assert (await stage.deliver(said))[0] == 202
                told.append(relate.count_replies(stage))
            return told

    assert asyncio.run(story()) == [1, 0]


def test_the_players_notice_what_is_wrong(template: Template) -> None:
    async def story() -> Verdict:
        lost = post("Note", content="<p>Hi</p>")
        document = Document("ours", "", lost)
        async with template.stage({}) as stage:
            stage.world.documents[lost["id"]] = 404
            put = stage.world.put
            vars(stage.world)["put"] = lambda node: put({**node, "content": "<p>Ho</p>"})
            return await player(document)(stage, document)

    verdict = asyncio.run(story())
    assert (verdict.outcome, verdict.faults) == ("wrong", ["words: Hi | Ho"])
