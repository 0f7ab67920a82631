"""Invitations: made by the administrator or earned by members, used once, disabled."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from tests.kit.xrpc import PASSWORD, Person, Pod, Reply, in_pod

SERVER = "com.atproto.server."
ADMIN = "com.atproto.admin."


def invite_only(pod: Pod, **more: Any) -> None:
    """Close the door to all who were not invited."""
    pod.become(replace(pod.settings, open_sign_up=False, **more))


async def code_of(pod: Pod, uses: int = 1, **more: str) -> str:
    reply = await pod.as_admin(SERVER + "createInviteCode", {"useCount": uses} | more)
    assert reply.status == 200, reply.body
    return reply.json["code"]


async def sign_up(pod: Pod, name: str, code: str | None = None) -> Reply:
    given = {"handle": f"{name}.test", "email": f"{name}@mail.example", "password": PASSWORD}
    more = {} if code is None else {"inviteCode": code}
    return await pod.post(SERVER + "createAccount", given | more)


def test_a_code_lets_as_many_in_as_it_says():
    async def story(pod: Pod):
        invite_only(pod)
        described = await pod.get(SERVER + "describeServer")
        assert described.json["inviteCodeRequired"] is True
        code = await code_of(pod, uses=2)
        assert re.fullmatch(r"pods-example-[a-z2-7]{5}-[a-z2-7]{5}", code)
        assert (await sign_up(pod, "alice")).error == "InvalidInviteCode"
        assert (await sign_up(pod, "alice", "pods-example-aaaaa-aaaaa")).error == (
            "InvalidInviteCode"
        )
        assert (await sign_up(pod, "alice", code)).status == 200
        assert (await sign_up(pod, "alice", code)).error == "HandleNotAvailable"
        assert (await sign_up(pod, "bob", code)).status == 200
        assert (await sign_up(pod, "carol", code)).error == "InvalidInviteCode"
        shown = (await pod.as_admin_get(ADMIN + "getInviteCodes")).json["codes"]
        assert [(c["code"], c["available"], len(c["uses"])) for c in shown] == [(code, 2, 2)]

    in_pod(story)


def test_only_the_administrator_makes_codes():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        for nsid in ("createInviteCode", "createInviteCodes"):
            body = {"useCount": 1, "codeCount": 1}
            assert (await pod.post(SERVER + nsid, body)).status == 401
            assert (await pod.post(SERVER + nsid, body, alice.access)).status == 401
            wrong = {"authorization": "Basic " + b64encode(b"admin:nope").decode()}
            reply = await pod.ask("POST", f"/xrpc/{SERVER}{nsid}", headers=wrong)
            assert reply.status == 401

    in_pod(story)


def test_codes_are_made_for_several_accounts_at_once_and_shown_to_them():
    async def story(pod: Pod):
        alice, bob = await pod.join("alice"), await pod.join("bob")
        body = {"useCount": 1, "codeCount": 2, "forAccounts": [alice.did, bob.did]}
        made = (await pod.as_admin(SERVER + "createInviteCodes", body)).json["codes"]
        assert [(m["account"], len(m["codes"])) for m in made] == [(alice.did, 2), (bob.did, 2)]
        own = (await pod.get(SERVER + "getAccountInviteCodes", alice.access)).json["codes"]
        assert {c["code"] for c in own} == set(made[0]["codes"])
        assert {c["createdBy"] for c in own} == {"admin"}
        await pod.as_admin(ADMIN + "disableInviteCodes", {"accounts": [alice.did]})
        own = (await pod.get(SERVER + "getAccountInviteCodes", alice.access)).json["codes"]
        assert own == []
        refused = await pod.as_admin(ADMIN + "disableInviteCodes", {"accounts": ["admin"]})
        assert refused.status == 400

    in_pod(story)


@pytest.mark.parametrize("sort", ["recent", "usage"])
def test_all_codes_are_listed_page_by_page_each_once(sort: str):
    async def story(pod: Pod):
        invite_only(pod)
        codes = [await code_of(pod, uses=9) for _ in range(5)]
        for number, name in enumerate(("alice", "bobby", "carol")):
            await sign_up(pod, name, codes[min(number, 1)])
        seen, cursor = [], None
        while True:
            reply = await pod.as_admin_get(
                ADMIN + "getInviteCodes", sort=sort, limit=2, cursor=cursor
            )
            seen += reply.json["codes"]
            cursor = reply.json.get("cursor")
            if not reply.json["codes"]:
                break
        assert sorted(c["code"] for c in seen) == sorted(codes)
        if sort == "usage":
            assert [len(c["uses"]) for c in seen] == [2, 1, 0, 0, 0]
        bad = await pod.as_admin_get(ADMIN + "getInviteCodes", cursor="x")
        assert bad.status == 400

    in_pod(story)


def test_members_earn_a_code_each_interval_with_five_open_at_most():
    async def story(pod: Pod):
        invite_only(pod, invite_interval_s=3_600)
        await sign_up(pod, "alice", await code_of(pod))
        alice = await login(pod, "alice")
        nsid = SERVER + "getAccountInviteCodes"
        assert (await pod.get(nsid, alice.access)).json["codes"] == []
        pod.clock.pass_by(95 * 60)
        own = (await pod.get(nsid, alice.access)).json["codes"]
        assert len(own) == 1
        assert len((await pod.get(nsid, alice.access)).json["codes"]) == 1
        await sign_up(pod, "bob", own[0]["code"])
        unused = await pod.get(nsid, alice.access, includeUsed="false")
        assert unused.json["codes"] == []
        pod.clock.pass_by(19 * 3_600)
        fresh = await login(pod, "alice")
        left = (await pod.get(nsid, fresh.access, includeUsed="false")).json["codes"]
        assert len(left) == 5
        info = (await pod.as_admin_get(ADMIN + "getAccountInfo", did=fresh.did)).json
        assert len(info["invites"]) == 6

    in_pod(story)


def test_an_account_that_may_not_invite_gets_no_codes_until_it_may_again():
    async def story(pod: Pod):
        invite_only(pod, invite_interval_s=3_600)
        await sign_up(pod, "alice", await code_of(pod))
        alice = await login(pod, "alice")
        pod.clock.pass_by(70 * 60)
        nsid = SERVER + "getAccountInviteCodes"
        await pod.as_admin(ADMIN + "disableAccountInvites", {"account": alice.did})
        assert (await pod.get(nsid, alice.access)).json["codes"] == []
        info = (await pod.as_admin_get(ADMIN + "getAccountInfo", did=alice.did)).json
        assert info["invitesDisabled"] is True
        await pod.as_admin(ADMIN + "enableAccountInvites", {"account": alice.did})
        pod.clock.pass_by(55 * 60)
        fresh = await login(pod, "alice")
        assert len((await pod.get(nsid, fresh.access)).json["codes"]) == 1

    in_pod(story)


def test_the_code_of_somebody_who_was_taken_down_lets_nobody_in():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        invite_only(pod)
        code = await code_of(pod, forAccount=alice.did)
        subject = {"$type": "com.atproto.admin.defs#repoRef", "did": alice.did}
        body = {"subject": subject, "takedown": {"applied": True}}
        assert (await pod.as_admin(ADMIN + "updateSubjectStatus", body)).status == 200
        assert (await sign_up(pod, "bob", code)).error == "InvalidInviteCode"

    in_pod(story)


async def login(pod: Pod, name: str) -> Person:
    given = {"identifier": f"{name}.test", "password": PASSWORD}
    session = (await pod.post(SERVER + "createSession", given)).json
    member = pod.store.member_by_did(session["did"])
    assert member is not None
    return Person(member, session["accessJwt"], session["refreshJwt"])
