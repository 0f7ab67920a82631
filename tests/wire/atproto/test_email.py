"""Codes by mail: confirming and changing an address, a new password, the end of an account."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from pod.model.ids import MemberId
from tests.kit.xrpc import PASSWORD, Pod, in_pod

SERVER = "com.atproto.server."
LOGIN = SERVER + "createSession"
CODE = re.compile(r"[A-Z2-7]{5}-[A-Z2-7]{5}")


async def asked(pod: Pod, method: str, token: str | None = None, body: Any = None) -> str:
    """The code that a request for one brought by mail."""
    reply = await pod.post(SERVER + method, body, token)
    assert reply.status == 200, reply.body
    return pod.code()


def test_an_address_is_confirmed_with_the_code_sent_to_it():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        code = await asked(pod, "requestEmailConfirmation", alice.access)
        letter = pod.letters[-1]
        assert letter.to == "alice@mail.example"
        assert CODE.fullmatch(code)
        assert code in letter.text
        given = {"email": "Alice@mail.example", "token": code.lower()}
        wrong = given | {"email": "other@mail.example"}
        confirm = SERVER + "confirmEmail"
        assert (await pod.post(confirm, wrong, alice.access)).error == "InvalidEmail"
        bad = given | {"token": "AAAAA-AAAAA"}
        assert (await pod.post(confirm, bad, alice.access)).error == "InvalidToken"
        assert (await pod.post(confirm, given, alice.access)).status == 200
        session = await pod.get(SERVER + "getSession", alice.access)
        assert session.json["emailConfirmed"] is True
        assert (await pod.post(confirm, given, alice.access)).error == "InvalidToken"

    in_pod(story)


def test_a_code_lives_a_quarter_of_an_hour_and_the_newest_alone_counts():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        first = await asked(pod, "requestEmailConfirmation", alice.access)
        second = await asked(pod, "requestEmailConfirmation", alice.access)
        given = {"email": "alice@mail.example", "token": first}
        confirm = SERVER + "confirmEmail"
        assert (await pod.post(confirm, given, alice.access)).error == "InvalidToken"
        pod.clock.pass_by(905)
        late = await pod.post(confirm, given | {"token": second}, alice.access)
        assert (late.status, late.error) == (400, "ExpiredToken")

    in_pod(story)


def test_a_code_is_good_for_its_own_purpose_and_member_only():
    async def story(pod: Pod):
        alice, bob = await pod.join("alice"), await pod.join("bob")
        code = await asked(pod, "requestEmailConfirmation", alice.access)
        stolen = {"email": "bob@mail.example", "token": code}
        assert (await pod.post(SERVER + "confirmEmail", stolen, bob.access)).error == "InvalidToken"
        reset = {"token": code, "password": "new"}
        assert (await pod.post(SERVER + "resetPassword", reset)).error == "InvalidToken"

    in_pod(story)


def test_an_unconfirmed_address_is_changed_at_once_a_confirmed_one_with_a_code():
    async def story(pod: Pod):
        alice, _ = await pod.join("alice"), await pod.join("bob")
        request, update = SERVER + "requestEmailUpdate", SERVER + "updateEmail"
        assert (await pod.post(request, None, alice.access)).json == {"tokenRequired": False}
        assert (await pod.post(update, {"email": "New@mail.example"}, alice.access)).status == 200
        taken = await pod.post(update, {"email": "bob@mail.example"}, alice.access)
        assert taken.status == 400
        bad = await pod.post(update, {"email": "nothing"}, alice.access)
        assert bad.status == 400
        code = await asked(pod, "requestEmailConfirmation", alice.access)
        given = {"email": "new@mail.example", "token": code}
        assert (await pod.post(SERVER + "confirmEmail", given, alice.access)).status == 200

        assert (await pod.post(request, None, alice.access)).json == {"tokenRequired": True}
        third = {"email": "third@mail.example"}
        assert (await pod.post(update, third, alice.access)).error == "TokenRequired"
        wrong = await pod.post(update, third | {"token": "AAAAA-AAAAA"}, alice.access)
        assert wrong.error == "InvalidToken"
        right = await pod.post(update, third | {"token": pod.code()}, alice.access)
        assert right.status == 200
        session = (await pod.get(SERVER + "getSession", alice.access)).json
        assert (session["email"], session["emailConfirmed"]) == ("third@mail.example", False)

    in_pod(story)


def test_a_forgotten_password_is_replaced_and_every_session_ends():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        reset = SERVER + "resetPassword"
        code = await asked(pod, "requestPasswordReset", body={"email": "ALICE@mail.example"})
        long = await pod.post(reset, {"token": code, "password": "x" * 257})
        assert long.status == 400
        assert (await pod.post(reset, {"token": code, "password": "fresh"})).status == 200
        assert (await pod.post(reset, {"token": code, "password": "again"})).error == "InvalidToken"
        assert (await pod.post(SERVER + "refreshSession", token=alice.refresh)).status == 400
        who = {"identifier": "alice.test"}
        assert (await pod.post(LOGIN, who | {"password": PASSWORD})).status == 401
        assert (await pod.post(LOGIN, who | {"password": "fresh"})).status == 200
        nobody = await pod.post(SERVER + "requestPasswordReset", {"email": "x@mail.example"})
        assert nobody.status == 400

    in_pod(story)


@pytest.mark.parametrize("method", ["requestEmailUpdate", "requestAccountDelete"])
def test_an_app_password_asks_for_no_such_code(method: str):
    async def story(pod: Pod):
        alice = await pod.join("alice")
        made = await pod.post(SERVER + "createAppPassword", {"name": "x"}, alice.access)
        given = {"identifier": "alice.test", "password": made.json["password"]}
        access = (await pod.post(LOGIN, given)).json["accessJwt"]
        assert (await pod.post(SERVER + method, None, access)).error == "InvalidToken"

    in_pod(story)


def test_a_deleted_account_is_gone_with_all_it_had_and_the_network_is_told():
    async def story(pod: Pod):
        alice, bob = await pod.join("alice"), await pod.join("bob")
        await pod.write_post(alice, "soon gone")
        await pod.write_post(bob, "still here")
        uploaded = await pod.upload(b"\x89PNG\r\n\x1a\n" + b"x" * 40, "image/png", alice.access)
        assert uploaded.status == 200
        code = await asked(pod, "requestAccountDelete", alice.access)
        delete = SERVER + "deleteAccount"
        given = {"did": alice.did, "password": PASSWORD, "token": code}
        assert (await pod.post(delete, given | {"password": "wrong"})).status == 401
        assert (await pod.post(delete, given | {"token": "AAAAA-AAAAA"})).error == "InvalidToken"
        assert (await pod.post(delete, given | {"did": bob.did})).error == "InvalidToken"
        assert (await pod.post(delete, given)).status == 200

        latest = await pod.get("com.atproto.sync.getLatestCommit", did=alice.did)
        assert (latest.status, latest.error) == (400, "RepoNotFound")
        who = {"identifier": "alice.test", "password": PASSWORD}
        assert (await pod.post(LOGIN, who)).status == 401
        assert (await pod.get(SERVER + "getSession", alice.access)).status == 403
        assert (await pod.post(delete, given)).status == 400
        assert pod.blobs.kept == {}
        member = alice.member.id
        assert pod.store.resources(member, "/", after=None, limit=9) == []
        events = pod.store.changes(after=0, limit=99, member=member)
        assert [(e.kind, b"deleted" in (e.frame or b"")) for e in events] == [("account", True)]
        assert events[0].seq == pod.store.head_seq()
        assert len(pod.store.changes(after=0, limit=99, member=bob.member.id)) == 5
        listed = await pod.get("com.atproto.sync.listRepos")
        assert [repo["did"] for repo in listed.json["repos"]] == [bob.did]
        await pod.write_post(bob, "and writing")

    in_pod(story)


def test_the_names_of_a_deleted_account_lead_to_nobody_else_but_its_address_is_free():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await pod.services.farewell.delete(alice.member.id)
        given = {"handle": "alice.test", "email": "alice@mail.example", "password": PASSWORD}
        create = SERVER + "createAccount"
        assert (await pod.post(create, given)).error == "HandleNotAvailable"
        assert (await pod.post(create, given | {"handle": "alicia.test"})).status == 200

    in_pod(story)


def test_an_account_that_rests_is_deleted_when_its_day_has_come():
    async def story(pod: Pod):
        alice, bob = await pod.join("alice"), await pod.join("bob")
        method = SERVER + "deactivateAccount"
        day = (pod.clock.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for person in (alice, bob):
            reply = await pod.post(method, {"deleteAfter": day}, person.access)
            assert reply.status == 200
        assert (await pod.post(SERVER + "activateAccount", None, bob.access)).status == 200
        assert await pod.services.farewell.delete_due() == 0
        pod.clock.pass_by(4 * 86_400)
        assert await pod.services.farewell.delete_due() == 1
        assert await pod.services.farewell.delete_due() == 0
        members = {m.did: m.standing for m in pod.store.members(after=MemberId(0), limit=9)}
        assert members == {alice.did: "deleted", bob.did: "active"}

    in_pod(story)
