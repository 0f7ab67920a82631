"""What single kinds of servers ask of an actor, and say in their own ways."""

from __future__ import annotations

from urllib.parse import urlsplit

import orjson
import pytest

from adapters.activitypub.mastodon.gather import Gatherer
from adapters.activitypub.mastodon.library import Library
from adapters.activitypub.mastodon.lister import Lister
from adapters.activitypub.mastodon.ports import Live
from adapters.activitypub.receive import content
from adapters.http.throttle import Limit
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.timeline import Span
from storage.listings import SqlListings
from storage.timelines import SqlTimelines
from tests.kit.fediverse import EVERYBODY, KEYS, TYPE, FediPod, Peer
from tests.wire.activitypub.conftest import Tell


def gathering(pod: FediPod) -> SqlTimelines:
    """Have what is heard kept, as for the client API."""
    timelines, wing = SqlTimelines(pod.store.database), pod.wing.social._wing
    library = Library(wing, timelines)
    lister = Lister(wing, SqlListings(pod.store.database), library)
    wing.heralds.append(Gatherer(wing, timelines, library, Live(), lister))
    return timelines


@pytest.mark.parametrize("agent", ["Misskey/2025.10.1 (https://mi.test)", "CherryPick/4 (x)"])
def test_who_refuses_a_shared_inbox_of_another_host_is_shown_none(tell: Tell, agent: str) -> None:
    async def story(pod: FediPod, alice: Member, _: Peer) -> None:
        async def shown(user_agent: str) -> tuple[dict[str, object], str]:
            headers = {"Host": urlsplit(alice.origin).netloc, "Accept": TYPE}
            answer = await pod.client.get("/me", headers={**headers, "User-Agent": user_agent})
            return orjson.loads(await answer.get_data()), answer.headers["Vary"]

        theirs, vary = await shown(agent)
        others, _ = await shown("Mastodon/4.6 (http.rb; +https://m.test/)")
        assert "User-Agent" in vary
        assert "sharedInbox" not in theirs["endpoints"]  # type: ignore[operator]
        assert others["endpoints"]["sharedInbox"] == f"{pod.settings.origin}/inbox"  # type: ignore[index]
        assert theirs.keys() == others.keys()

    tell(story)


def test_a_follower_whose_inbox_moved_gets_news_at_the_new_one(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        moved = {**bob.actor(), "endpoints": {"sharedInbox": "http://peer.test/new-host"}}
        bob.documents[bob.id] = moved
        assert await pod.post(bob, bob.activity("Update", moved)) == 202
        await pod.note(alice)
        await pod.wing.flush()
        assert [request.url for request in bob.received] == ["http://peer.test/new-host"]

    tell(story)


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("2026-11-24T11:30:00Z", "2026-11-24T11:30:00.500Z"),
        ("2026-11-24T13:30:00+02:00", "2026-11-24T12:10:00Z"),
    ],
)
def test_an_edit_is_newer_by_time_however_the_time_is_written(
    tell: Tell, first: str, later: str
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        edits = [bob.note(content=said, cc=[alice.webid], updated=at)
                 for said, at in (("first", first), ("later", later))]  # fmt: skip
        for number, note in enumerate([*edits, edits[0]]):
            assert await pod.post(bob, bob.activity("Update", note, number)) == 202
        (path,) = pod.store.about(alice.id, "/inbox/", edits[0]["id"])
        held = pod.store.resource(alice.id, path)
        assert held is not None
        assert orjson.loads(held.body)["content"] == "later"

    tell(story)


def test_what_was_heard_first_as_edited_stays_edited_at_home(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        timelines = gathering(pod)
        await pod.say(alice, {"type": "Follow", "object": bob.id})
        (path,) = pod.store.about(alice.id, "/data/social/follow/", bob.id)
        follow = {"id": alice.url(path), "type": "Follow", "actor": alice.webid, "object": bob.id}
        await pod.post(bob, bob.activity("Accept", follow))
        old, new = bob.note(), bob.note(content="edited", updated="2026-11-24T11:30:00Z")
        for activity in (bob.activity("Update", new), bob.activity("Create", old)):
            assert await pod.post(bob, activity) == 202
        heard = timelines.heard(Iri(old["id"]))
        assert heard is not None
        assert orjson.loads(heard.body)["content"] == "edited"

    tell(story)


def test_a_boost_that_is_named_by_the_keywords_of_json_ld_is_heard(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        timelines = gathering(pod)
        await pod.say(alice, {"type": "Follow", "object": bob.id})
        (path,) = pod.store.about(alice.id, "/data/social/follow/", bob.id)
        follow = {"id": alice.url(path), "type": "Follow", "actor": alice.webid, "object": bob.id}
        await pod.post(bob, bob.activity("Accept", follow))
        note = bob.note()
        bob.documents[note["id"]] = note
        boost = bob.activity("Announce", note["id"], to=[EVERYBODY])
        name = boost.pop("id")
        assert await pod.post(bob, {"@id": name, **boost}) == 202
        assert timelines.holders(name) == [alice.id]

    tell(story)


def test_a_post_that_is_named_by_the_keywords_of_json_ld_is_kept(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = bob.note(cc=[alice.webid])
        spelled = {"@id": note.pop("id"), "@type": [note.pop("type")], **note}
        create = bob.activity("Create", spelled)
        create = {"@id": create.pop("id"), "@type": create.pop("type"), **create}
        assert await pod.post(bob, create) == 202
        (path,) = pod.store.about(alice.id, "/inbox/", spelled["@id"])
        held = pod.store.resource(alice.id, path)
        assert held is not None
        assert orjson.loads(held.body)["id"] == spelled["@id"]

    tell(story)


@pytest.mark.parametrize("words", [{}, {"content": ""}, {"content": None}])
def test_a_vote_may_say_that_it_has_no_words(tell: Tell, words: dict[str, object]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        question = {
            "type": "Question",
            "content": "Tea?",
            "to": [EVERYBODY],
            "oneOf": [{"type": "Note", "name": said} for said in ("yes", "no")],
        }
        _, poll = await pod.say(alice, question)
        vote = {"id": f"{bob.id}/votes/1", "type": "Note", "attributedTo": bob.id, "name": "yes",
                "inReplyTo": poll, "to": [alice.webid], **words}  # fmt: skip
        assert await pod.post(bob, bob.activity("Create", vote)) == 202
        await pod.wing.count_polls()
        _, shown = await pod.get(poll)
        assert [each["replies"]["totalItems"] for each in shown["oneOf"]] == [1, 0]

    tell(story)


def test_the_end_of_somebody_unknown_costs_no_request(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        eve.documents[eve.id] = 410
        assert await pod.post(eve, eve.activity("Delete", eve.id)) == 202
        assert eve.fetched == []

    tell(story)


def test_with_an_actor_goes_what_was_heard_of_them(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        timelines = gathering(pod)
        for number in range(3):
            note = bob.note(number, cc=[alice.webid])
            assert await pod.post(bob, bob.activity("Create", note, number)) == 202
        assert len(timelines.heard_of(bob.id, limit=9)) == 3
        assert await pod.post(bob, bob.activity("Delete", bob.id)) == 202
        assert timelines.heard_of(bob.id, limit=9) == []

    tell(story)


@pytest.mark.parametrize("bound", ["bytes of a day", "number"])
def test_strangers_do_not_fill_an_inbox(
    tell: Tell, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    if bound == "number":
        monkeypatch.setattr(content, "MOST_HELD", 2)
    else:
        monkeypatch.setattr(content, "DAILY", Limit(5_000, 86_400))

    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol = await pod.member("carol")
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))

        async def write(who: Peer, number: int, *names: Member) -> int:
            to = [EVERYBODY, *(each.webid for each in names)]
            note = who.note(number, content="x" * 2_000, to=to)
            return await pod.post(who, who.activity("Create", note, number))

        assert [await write(eve, number, alice) for number in range(3)] == [202, 202, 429]
        assert await write(bob, 4, alice) == 202
        assert await write(eve, 5, alice, carol) == 429
        assert pod.store.about(carol.id, "/inbox/", f"{eve.origin}/notes/5")
        assert len(pod.store.resources(alice.id, "/inbox/", after=None, limit=9)) == 3

    tell(story)


def test_a_key_of_a_new_name_is_looked_for_once_a_minute(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        old = bob.documents[bob.id]["publicKey"]
        bob.documents[bob.id]["publicKey"] = {**old, "id": f"{bob.id}#key-2"}
        like = bob.activity("Like", alice.url((await pod.note(alice)).path))
        bob.fetched.clear()
        assert await pod.post(bob, like, key_id=f"{bob.id}#key-2") == 401
        assert bob.fetched == []
        pod.clock.pass_by(61)
        assert await pod.post(bob, like, key_id=f"{bob.id}#key-3") == 401
        assert await pod.post(bob, like, key_id=f"{bob.id}#key-2") == 202
        other = bob.activity("Like", like["object"], 2)
        assert await pod.post(bob, other, key_id=f"{bob.id}#key-4") == 401
        assert bob.fetched == [bob.id]

    tell(story)


def test_who_may_read_a_post_for_followers_may_like_it(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        timelines = gathering(pod)
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        told = {"type": "Note", "content": "shh", "to": [f"{alice.origin}/followers"]}
        _, url = await pod.say(alice, told)
        boost = bob.activity("Announce", url, to=[EVERYBODY])
        assert await pod.post(eve, eve.activity("Like", url)) == 202
        assert await pod.post(bob, boost) == 202
        assert timelines.notices(alice.id, Span(limit=9)) == []
        like = bob.activity("Like", url)
        assert await pod.post(bob, like) == 202
        (notice,) = timelines.notices(alice.id, Span(limit=9))
        assert (notice.kind, notice.actor, notice.about) == ("favourite", bob.id, url)
        assert len(pod.edges.of_actor(bob.id, limit=9)) == 1
        assert await pod.post(bob, bob.activity("Undo", like)) == 202
        assert pod.edges.of_actor(bob.id, limit=9) == []

    tell(story)


def test_emoji_reports_and_wishes_to_quote_have_bounds(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = alice.url((await pod.note(alice)).path)
        for number in range(25):
            react = bob.activity("EmojiReact", url, number, content=chr(0x1F300 + number))
            assert await pod.post(bob, react) == 202
        _, emoji = await pod.get(f"{url}?c=reactions")
        assert emoji["totalItems"] == 20
        flags = [await pod.post(bob, bob.activity("Flag", url, n)) for n in range(61)]
        assert (set(flags[:60]), flags[60]) == ({202}, 429)
        note = {"instrument": f"{bob.origin}/notes/1"}
        asks = [
            await pod.post(bob, bob.activity("QuoteRequest", url, n, **note)) for n in range(101)
        ]
        assert (set(asks[:100]), asks[100]) == ({202}, 429)

    tell(story)


def test_who_follows_no_more_hears_no_more_though_others_do(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        timelines, carol = gathering(pod), await pod.member("carol")
        for member in (alice, carol):
            await pod.say(member, {"type": "Follow", "object": bob.id})
            (path,) = pod.store.about(member.id, "/data/social/follow/", bob.id)
            follow = {"type": "Follow", "id": member.url(path), "actor": member.webid}
            accept = bob.activity("Accept", {**follow, "object": bob.id}, member.id)
            assert await pod.post(bob, accept) == 202
        await pod.say(alice, {"type": "Undo", "object": {"type": "Follow", "object": bob.id}})
        note = bob.note()
        assert await pod.post(bob, bob.activity("Create", note)) == 202
        assert timelines.holders(note["id"]) == [carol.id]

    tell(story)
