"""App passwords and reserved signing keys."""

from __future__ import annotations

import re

from pod.access.agent import SYSTEM
from pod.model.member import Standing
from tests.kit.xrpc import PASSWORD, Person, Pod, in_pod

MAKE = "com.atproto.server.createAppPassword"
LIST = "com.atproto.server.listAppPasswords"
REVOKE = "com.atproto.server.revokeAppPassword"
LOGIN = "com.atproto.server.createSession"
REFRESH = "com.atproto.server.refreshSession"
SERVICE_AUTH = "com.atproto.server.getServiceAuth"
RESERVE = "com.atproto.server.reserveSigningKey"
CHAT = "chat.bsky.convo.listConvos"


async def make(pod: Pod, person: Person, name: str, **more: bool) -> str:
    reply = await pod.post(MAKE, {"name": name} | more, person.access)
    assert reply.status == 200
    return reply.json["password"]


async def login(pod: Pod, password: str) -> dict[str, str]:
    reply = await pod.post(LOGIN, {"identifier": "alice.test", "password": password})
    assert reply.status == 200
    return reply.json


def test_an_app_password_is_shown_once_and_listed_by_name():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        made = await pod.post(MAKE, {"name": "phone"}, alice.access)
        assert set(made.json) == {"name", "password", "createdAt", "privileged"}
        assert re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", made.json["password"])
        assert made.json["privileged"] is False
        again = await pod.post(MAKE, {"name": "phone"}, alice.access)
        assert (again.status, again.error) == (400, "DuplicateAppPassword")
        await make(pod, alice, "chat", privileged=True)
        listed = (await pod.get(LIST, alice.access)).json["passwords"]
        assert [(p["name"], p["privileged"]) for p in listed] == [("chat", True), ("phone", False)]
        assert all("password" not in p for p in listed)

    in_pod(story)


def test_an_app_password_signs_in_but_opens_nothing_of_the_account():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        session = await login(pod, await make(pod, alice, "phone"))
        access = session["accessJwt"]
        assert (await pod.get("com.atproto.server.getSession", access)).json["did"] == alice.did
        assert (await pod.get(LIST, access)).status == 200
        shut = (
            (MAKE, {"name": "another"}),
            (REVOKE, {"name": "phone"}),
            ("com.atproto.server.activateAccount", None),
            ("com.atproto.server.deactivateAccount", {}),
        )
        for nsid, body in shut:
            reply = await pod.post(nsid, body, access)
            assert (reply.status, reply.error) == (400, "InvalidToken"), nsid
        await pod.write_post(Person(alice.member, access, ""), "from my phone")

    in_pod(story)


def test_only_a_privileged_app_password_reaches_private_messages():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        plain = (await login(pod, await make(pod, alice, "phone")))["accessJwt"]
        trusted = (await login(pod, await make(pod, alice, "chat", privileged=True)))["accessJwt"]
        asked = {"aud": "did:web:chat.example", "lxm": CHAT}
        assert (await pod.get(SERVICE_AUTH, plain, **asked)).status == 400
        assert (await pod.get(SERVICE_AUTH, trusted, **asked)).status == 200

    in_pod(story)


def test_revoking_an_app_password_ends_its_sessions_and_no_others():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        password = await make(pod, alice, "phone")
        first = await login(pod, password)
        rotated = (await pod.post(REFRESH, token=first["refreshJwt"])).json
        other = await login(pod, await make(pod, alice, "desk"))
        assert (await pod.post(REVOKE, {"name": "phone"}, alice.access)).status == 200
        assert (await pod.post(REVOKE, {"name": "phone"}, alice.access)).status == 200
        for session in (first, rotated):
            reply = await pod.post(REFRESH, token=session["refreshJwt"])
            assert reply.error == "ExpiredToken"
        again = await pod.post(LOGIN, {"identifier": "alice.test", "password": password})
        assert again.status == 401
        assert (await pod.post(REFRESH, token=other["refreshJwt"])).status == 200
        assert (await pod.post(REFRESH, token=alice.refresh)).status == 200

    in_pod(story)


def test_a_refreshed_session_of_an_app_password_may_do_no_more_than_before():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        session = await login(pod, await make(pod, alice, "phone"))
        renewed = (await pod.post(REFRESH, token=session["refreshJwt"])).json["accessJwt"]
        assert (await pod.post(MAKE, {"name": "x"}, renewed)).error == "InvalidToken"

    in_pod(story)


def test_who_was_taken_down_signs_in_with_their_own_password_only():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        password = await make(pod, alice, "phone")
        await pod.services.accounts.set_standing(SYSTEM, alice.member.id, Standing.TAKENDOWN)
        given = {"identifier": "alice.test", "allowTakendown": True}
        assert (await pod.post(LOGIN, given | {"password": password})).status == 401
        assert (await pod.post(LOGIN, given | {"password": PASSWORD})).status == 200

    in_pod(story)


def test_one_persons_app_password_is_not_anothers():
    async def story(pod: Pod):
        alice, _ = await pod.join("alice"), await pod.join("bob")
        password = await make(pod, alice, "phone")
        reply = await pod.post(LOGIN, {"identifier": "bob.test", "password": password})
        assert reply.status == 401

    in_pod(story)


def test_a_signing_key_is_reserved_once_for_a_did():
    async def story(pod: Pod):
        did = "did:plc:" + "m" * 24
        first = (await pod.post(RESERVE, {"did": did})).json["signingKey"]
        assert (await pod.post(RESERVE, {"did": did})).json["signingKey"] == first
        other = (await pod.post(RESERVE, {})).json["signingKey"]
        assert first.startswith("did:key:z")
        assert other not in (first, (await pod.post(RESERVE, {})).json["signingKey"])

    in_pod(story)
