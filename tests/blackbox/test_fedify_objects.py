"""A member and a Fedify server: polls, warnings, quotes and emoji, in both directions."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.blackbox.test_fedify import Alice, about, eventually, heard
from tests.kit.node import peer
from tests.kit.process import running

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def alice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alice]:
    """A running pod with the member alice."""
    with running(tmp_path_factory.mktemp("objects") / "data") as server:
        made = Alice(server, "", "").xrpc(
            "com.atproto.server.createAccount",
            {"handle": "alice.test", "email": "a@a.test", "password": "correct horse"},
        )
        yield Alice(server, made["did"], made["accessJwt"])


def record(alice: Alice, url: str) -> dict[str, object]:
    """The record of a post, as the other network reads it."""
    collection, rkey = url.split("/")[-2:]
    query = f"repo={alice.did}&collection={collection}&rkey={rkey}"
    address = f"{alice.server.address}/xrpc/com.atproto.repo.getRecord?{query}"
    with urllib.request.urlopen(address, timeout=10) as response:
        found: dict[str, object] = json.loads(response.read())["value"]
    return found


def test_a_members_poll_is_voted_on_and_the_results_come_back(alice: Alice) -> None:
    with peer("fedify.mjs", "bob") as bob, peer("fedify.mjs", "eve") as eve:
        bob.ask("follow", actor=alice.actor)
        heard(bob, lambda entry: entry["type"] == "Accept")
        ends = (datetime.now(UTC) + timedelta(seconds=14)).strftime("%Y-%m-%dT%H:%M:%SZ")
        options = [{"type": "Note", "name": name} for name in ("Apples", "Pears")]
        poll = alice.say(
            {"type": "Question", "content": "<p>Which?</p>", "oneOf": options, "endTime": ends}
        )
        asked = heard(bob, about(poll, "Create"))["shows"]
        assert (asked["type"], asked["content"]) == ("Question", "<p>Which?</p>")
        assert asked["poll"]["options"] == [
            {"name": "Apples", "votes": 0},
            {"name": "Pears", "votes": 0},
        ]
        assert asked["poll"]["many"] is False
        assert record(alice, poll)["text"] == "Which?\n\n○ Apples\n○ Pears"

        bob.ask("vote", object=poll, choice="Pears")
        bob.ask("vote", object=poll, choice="Apples")
        told = heard(bob, about(poll, "Update"))["shows"]["poll"]
        assert [option["votes"] for option in told["options"]] == [0, 1]
        eve.ask("vote", object=poll, choice="Apples")
        closed = heard(
            eve, lambda entry: about(poll, "Update")(entry) and entry["shows"]["poll"]["closed"]
        )["shows"]["poll"]
        assert [option["votes"] for option in closed["options"]] == [1, 1]
        assert closed["voters"] == 2


def test_a_member_votes_in_a_fedify_poll(alice: Alice) -> None:
    with peer("fedify.mjs", "max") as max_:
        poll = max_.ask("ask", text="<p>When?</p>", options=["Today", "Tomorrow"])
        choice = {"type": "Note", "name": "Tomorrow", "inReplyTo": poll}
        alice.say({"type": "Create", "object": choice})
        eventually(lambda: max_.ask("votes") == [{"actor": alice.actor, "name": "Tomorrow"}])


def test_a_warning_stands_before_the_words_there_and_beside_them_here(alice: Alice) -> None:
    with peer("fedify.mjs", "ida") as ida:
        post = alice.say({"type": "Note", "content": "<p>It ends well</p>", "summary": "the film"})
        shows = ida.ask("show", url=post)
        assert (shows["summary"], shows["content"]) == ("the film", "<p>It ends well</p>")
        assert shows["sensitive"] is True
        kept = record(alice, post)
        assert kept["text"] == "[the film]\n\nIt ends well"
        assert kept["labels"]["values"] == [{"val": "graphic-media"}]  # type: ignore[index]


@pytest.mark.parametrize("scheme", ["rfc9421", "cavage"])
def test_quotes_are_asked_for_and_stamped_in_both_directions(alice: Alice, scheme: str) -> None:
    with peer("fedify.mjs", "kim", scheme) as kim:
        post = alice.post("Quote me")
        wanted = kim.ask("quote", object=post, text="<p>So true</p>")
        accept = heard(kim, lambda entry: entry["type"] == "Accept")
        assert accept["object"] == wanted["request"]
        status, stamp = alice.get(accept["document"]["result"])
        assert (status, stamp["type"]) == (200, "QuoteAuthorization")
        assert (stamp["interactingObject"], stamp["interactionTarget"]) == (wanted["note"], post)

        theirs = kim.ask("post", text="<p>Mine</p>")
        quoting = alice.say({"type": "Note", "content": "<p>Look</p>", "quote": theirs})
        heard(kim, lambda entry: entry["type"] == "QuoteRequest" and entry["object"] == theirs)
        eventually(lambda: "quoteAuthorization" in alice.get(quoting)[1])
        shows = kim.ask("show", url=quoting)
        assert (shows["quote"], shows["quoteUrl"]) == (theirs, theirs)
        assert shows["stamp"] == alice.get(quoting)[1]["quoteAuthorization"]


def test_emoji_reactions_arrive_and_are_sent(alice: Alice) -> None:
    with peer("fedify.mjs", "pia") as pia:
        post = alice.post("How nice")
        reaction = pia.ask("emoji", object=post, emoji="🎉")
        eventually(lambda: alice.total(f"{post}?c=reactions") == 1)
        pia.ask("undo", id=reaction)
        eventually(lambda: alice.total(f"{post}?c=reactions") == 0)
        theirs = pia.ask("post", text="<p>Mine</p>")
        sent = alice.say({"type": "EmojiReact", "object": theirs, "content": "🌻"})
        got = heard(pia, lambda entry: entry["type"] == "EmojiReact" and entry["id"] == sent)
        assert (got["object"], got["document"]["content"]) == (theirs, "🌻")


def test_an_answer_reaches_its_author_though_no_word_names_them(alice: Alice) -> None:
    with peer("fedify.mjs", "uma") as uma:
        theirs = uma.ask("post", text="<p>Anybody there?</p>")
        alice.say({"type": "Note", "content": "<p>Yes!</p>", "inReplyTo": theirs})
        answer = heard(uma, lambda entry: entry["type"] == "Create")["shows"]
        assert (answer["content"], answer["inReplyTo"]) == ("<p>Yes!</p>", theirs)
        assert [tag["href"] for tag in answer["tags"]] == [uma.ready["actor"]]


def test_an_article_is_read_with_its_name(alice: Alice) -> None:
    with peer("fedify.mjs", "tom") as tom:
        url = alice.say({"type": "Article", "name": "Soil", "content": "<p>Turn <em>it</em></p>"})
        shows = tom.ask("show", url=url)
        assert (shows["type"], shows["name"]) == ("Article", "Soil")
        assert shows["content"] == "<p>Turn <em>it</em></p>"
