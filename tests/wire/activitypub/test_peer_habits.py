"""What single kinds of servers ask of an actor, and say in their own ways."""

from __future__ import annotations

from urllib.parse import urlsplit

import orjson
import pytest

from pod.model.member import Member
from tests.kit.fediverse import TYPE, FediPod, Peer
from tests.wire.activitypub.conftest import Tell


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
