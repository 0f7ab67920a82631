"""The administrator's rules for other servers, and reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest

from adapters.activitypub.signature import cavage
from adapters.activitypub.signature.request import Request
from pod.errors import Invalid, NotFound
from pod.model.member import Member
from pod.model.moderation import Severity
from tests.kit.fediverse import FediPod, Peer, fedi_pod
from tests.kit.house import owner
from tests.wire.activitypub.conftest import Story
from tests.wire.activitypub.test_relations import inbox, mention


async def signed_get(pod: FediPod, peer: Peer, url: str) -> int:
    """What a peer is answered who signs for a document."""
    request = Request("GET", url, [])
    now = pod.clock.now()
    headers = cavage.sign(request, key_id=peer.key_id, sign=peer.sign, now=now)
    parts = urlsplit(url)
    sent = {"Accept": "application/activity+json", "Host": parts.netloc, **headers}
    return (await pod.client.get(parts.path, headers=sent)).status_code


def test_a_server_that_is_shut_out_is_neither_heard_nor_asked_nor_told(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        sub = pod.network.add(Peer("sue", "http://deep.sub.peer.test"))
        await pod.wing.social.follow(owner(alice), alice, bob.id)
        await pod.wing.flush()
        severed = await pod.wing.administration.set_rule("Peer.test", Severity.SUSPEND)
        assert (severed.members, severed.followers, severed.followed) == (1, 1, 1)
        bob.received.clear()
        bob.fetched.clear()
        for peer in (bob, sub):
            assert await pod.post(peer, mention(peer, alice)) == 403
            assert await pod.post(peer, peer.activity("Follow", alice.webid, 2)) == 403
        await pod.note(alice)
        await pod.wing.flush()
        for peer in (bob, sub):
            assert peer.received == []
            assert peer.fetched == []
        assert await signed_get(pod, bob, alice.webid) == 403
        assert (await pod.get(alice.webid))[0] == 200
        assert pod.wing.backlog() == 0
        assert pod.followers.count(alice.id) == 0
        assert pod.wing.shield.listed(alice, "follow") == []
        (notice,) = pod.store.resources(alice.id, "/inbox/", after=None, limit=9)
        told = orjson.loads(notice.body)["content"]
        assert "peer.test" in told
        assert told.count(bob.id) == 2
        await pod.wing.administration.drop_rule("peer.test")
        assert await pod.post(bob, mention(bob, alice, 3)) == 202
        with pytest.raises(NotFound):
            await pod.wing.administration.drop_rule("peer.test")

    tell(story)


def test_a_silenced_server_reaches_those_who_follow_and_lets_others_wait(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol = await pod.member("carol")
        await pod.wing.administration.set_rule("peer.test", Severity.SILENCE)
        await pod.post(bob, mention(bob, alice))
        await pod.post(bob, mention(bob, carol, 2))
        await pod.post(bob, bob.activity("Follow", carol.webid, 3))
        assert len(inbox(pod, alice)) == 1
        assert pod.wing.shield.tray(alice) == []
        assert len(pod.wing.shield.tray(carol)) == 1
        assert [asked.actor for asked in pod.wing.social.requests(carol)] == [bob.id]

    tell(story)


def test_with_an_allow_list_only_those_on_it_are_talked_to(tmp_path: Path) -> None:
    async def story() -> None:
        async with fedi_pod(tmp_path, allow_list=True) as pod:
            alice, bob = await pod.member(), pod.network.add(Peer())
            friend = pod.network.add(Peer("fred", "http://fred.friends.test"))
            await pod.wing.administration.set_rule("friends.test", Severity.ALLOW)
            assert await pod.post(bob, bob.activity("Follow", alice.webid)) == 403
            assert await pod.post(friend, friend.activity("Follow", alice.webid)) == 202
            carol = await pod.member("carol")
            town = pod.network.add(Peer("town", pod.settings.origin))
            await pod.wing.social.follow(owner(carol), carol, alice.webid)
            await pod.wing.flush()
            assert [each["type"] for each in town.activities] == ["Follow"]
            assert bob.fetched == []

    asyncio.run(story())


def test_media_and_reports_of_a_server_can_be_refused(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        rule = pod.wing.administration.set_rule
        await rule("peer.test", Severity.NOOP, reject_media=True, reject_reports=True)
        create = mention(bob, alice)
        create["object"]["attachment"] = [{"type": "Image", "url": f"{bob.origin}/a.png"}]
        await pod.post(bob, create)
        (held,) = pod.store.resources(alice.id, "/inbox/", after=None, limit=9)
        assert "attachment" not in orjson.loads(held.body)
        await pod.post(bob, bob.activity("Flag", alice.webid))
        assert pod.wing.administration.reports() == []

    tell(story)


def test_reports_of_members_are_kept_until_they_are_dealt_with(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = alice.url((await pod.note(alice)).path)
        stranger = "http://other.test/users/x"
        flag = bob.activity("Flag", [alice.webid, note, stranger], content="<p>rude</p>")
        assert await pod.post(bob, flag) == 202
        assert await pod.post(bob, bob.activity("Flag", stranger, 2)) == 202
        (report,) = pod.wing.administration.reports()
        assert (report.subjects, report.comment) == ((alice.webid, note), "rude")
        await pod.wing.administration.resolve(report.id)
        assert pod.wing.administration.reports() == []
        assert len(pod.wing.administration.reports(only_open=False)) == 1
        with pytest.raises(NotFound):
            await pod.wing.administration.resolve("http://nowhere.test/")

    tell(story)


@pytest.mark.parametrize("domain", ["", "no spaces", "a..b", "http://peer.test", "alice.localhost"])
def test_what_is_no_domain_of_others_gets_no_rule(
    tell: Callable[[Story], None], domain: str
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        with pytest.raises(Invalid):
            await pod.wing.administration.set_rule(domain, Severity.SUSPEND)

    tell(story)
