"""Groups that other servers describe: who is in them, how long that holds, what slow peers do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.solid.wac import groups
from tests.kit.solid_host import Host, told
from tests.wire.test_solid_access import does, rule, share

WHERE = "https://club.example/groups"
MEMBER = "<https://club.example/groups#us> <http://www.w3.org/2006/vcard/ns#hasMember> "
BOB = b"<https://bob.example/me> ."
GROUP = f"acl:agentGroup <{WHERE}#us>"


async def shared(host: Host, who: str = GROUP) -> None:
    host.net.documents[WHERE] = MEMBER.encode() + BOB
    await share(host, rule(who, "acl:Read"))


def test_a_member_of_a_group_elsewhere_may_read_and_nobody_else_may() -> None:
    async def story(host: Host) -> None:
        await shared(host)
        assert await does(host, "read", "bob") == 200
        assert await does(host, "read", None) == 401
        other = rule(f"acl:agentGroup <{WHERE}#others>", "acl:Read")
        await share_again(host, other)
        assert await does(host, "read", "bob") == 403

    told(story)


async def share_again(host: Host, rules: str) -> None:
    head = "@prefix acl: <http://www.w3.org/ns/auth/acl#> ." + rule(
        "acl:agent </me>", "acl:Control"
    )
    body = head + rules.replace("<#r>", "<#s>")
    answer = await host.ask("PUT", "/data/f/.acl", body, Content_Type="text/turtle")
    assert answer.status_code == 204


def test_a_group_document_is_asked_for_once_in_five_minutes_and_then_by_its_etag() -> None:
    async def story(host: Host) -> None:
        await shared(host)
        for _ in range(5):
            assert await does(host, "read", "bob") == 200
        assert len(host.net.asked) == 1
        host.groups_clock.pass_by(301)
        assert await does(host, "read", "bob") == 200
        assert [tag is not None for _, tag in host.net.asked] == [False, True]
        host.net.documents[WHERE] = b""
        host.groups_clock.pass_by(301)
        assert await does(host, "read", "bob") == 403

    told(story)


def _gone(host: Host) -> None:
    del host.net.documents[WHERE]


def _nonsense(host: Host) -> None:
    host.net.documents[WHERE] = b"this is no Turtle"


def _huge(host: Host) -> None:
    host.net.documents[WHERE] += b"\n" * 1_000_000


@pytest.mark.parametrize("fail", [_gone, _nonsense, _huge])
def test_a_group_that_cannot_be_had_lets_nobody_in(fail: Callable[[Host], None]) -> None:
    async def story(host: Host) -> None:
        await shared(host)
        fail(host)
        assert await does(host, "read", "bob") == 403
        asked = len(host.net.asked)
        assert await does(host, "read", "bob") == 403
        assert len(host.net.asked) == asked

    told(story)


def test_a_peer_that_hangs_holds_a_decision_up_for_a_bounded_time_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(groups, "_WAIT_S", 0.05)

    async def story(host: Host) -> None:
        await shared(host)
        host.net.hangs = True
        assert await does(host, "read", "bob") == 403
        assert await does(host, "read", "bob") == 403
        assert len(host.net.asked) == 1
        assert await does(host, "read", "alice") == 200
        assert await does(host, "read", None) == 401

    told(story)
