"""createSession, refreshSession, getSession, deleteSession, getServiceAuth."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from datetime import timedelta

import pytest
from coincurve import PublicKey
from multiformats import multibase

from adapters.atproto.session_tokens import REFRESH_GRACE, REFRESH_LIFE
from pod.access.agent import SYSTEM, Credential
from pod.keys.curves import parse_did_key, verify
from pod.model.member import Standing
from tests.kit.house import START
from tests.kit.xrpc import PASSWORD, Pod, in_pod

CREATE = "com.atproto.server.createSession"
REFRESH = "com.atproto.server.refreshSession"
GET = "com.atproto.server.getSession"
DELETE = "com.atproto.server.deleteSession"
SERVICE_AUTH = "com.atproto.server.getServiceAuth"
OTHER = "did:web:api.example"


@pytest.mark.parametrize("by", ["alice.test", "ALICE.test", "Alice@mail.example", "did"])
def test_one_signs_in_by_handle_did_or_email(by):
    async def story(pod: Pod):
        alice = await pod.join("alice")
        identifier = alice.did if by == "did" else by
        reply = await pod.post(CREATE, {"identifier": identifier, "password": PASSWORD})
        assert reply.status == 200
        shown = await pod.get(GET, reply.json["accessJwt"])
        assert shown.json == {
            "did": alice.did,
            "didDoc": pod.directory.documents[alice.did],
            "handle": "alice.test",
            "email": "alice@mail.example",
            "emailConfirmed": False,
            "active": True,
        }

    in_pod(story)


def test_a_wrong_password_and_an_unknown_name_look_and_take_the_same():
    async def story(pod: Pod):
        await pod.join("alice")
        replies = []
        for identifier in ("alice.test", "nobody.test", "not a name", "nobody@mail.example"):
            started = time.monotonic()
            reply = await pod.post(CREATE, {"identifier": identifier, "password": "wrong"})
            assert time.monotonic() - started >= 0.34
            replies.append((reply.status, reply.body))
        assert set(replies) == {
            (
                401,
                b'{"error":"AuthenticationRequired","message":"Invalid identifier or password"}',
            )
        }

    in_pod(story)


def test_sessions_work_while_the_did_document_cannot_be_had():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        pod.directory.is_down = True
        reply = await pod.get(GET, alice.access)
        assert reply.status == 200
        assert "didDoc" not in reply.json

    in_pod(story)


def test_a_refreshed_token_gives_the_same_successor_within_its_grace():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        first = await pod.post(REFRESH, token=alice.refresh)
        assert first.json["did"] == alice.did
        assert first.json["refreshJwt"] != alice.refresh
        pod.clock.at = START + REFRESH_GRACE - timedelta(minutes=1)
        again = await pod.post(REFRESH, token=alice.refresh)
        ids = {jti(reply.json["refreshJwt"]) for reply in (first, again)}
        assert len(ids) == 1
        pod.clock.at = START + REFRESH_GRACE + timedelta(minutes=1)
        late = await pod.post(REFRESH, token=alice.refresh)
        assert (late.status, late.error) == (400, "ExpiredToken")
        assert (await pod.post(REFRESH, token=first.json["refreshJwt"])).status == 200

    in_pod(story)


def jti(token: str) -> str:
    return json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))["jti"]


def test_a_refresh_token_expires():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        pod.clock.at = START + REFRESH_LIFE + timedelta(seconds=1)
        assert (await pod.post(REFRESH, token=alice.refresh)).error == "ExpiredToken"

    in_pod(story)


def test_signing_out_ends_the_refresh_token_even_after_it_expired():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        pod.clock.at = START + REFRESH_LIFE + timedelta(seconds=1)
        assert (await pod.post(DELETE, token=alice.refresh)).status == 200
        pod.clock.at = START
        assert (await pod.post(REFRESH, token=alice.refresh)).error == "ExpiredToken"

    in_pod(story)


def test_each_kind_of_token_has_its_place():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        assert (await pod.post(REFRESH, token=alice.access)).error == "InvalidToken"
        assert (await pod.get(GET, alice.refresh)).error == "InvalidToken"
        assert (await pod.get(GET)).error == "AuthMissing"
        assert (await pod.get(GET, "a b c")).error == "InvalidToken"
        basic = {"authorization": "Basic YTpi"}
        assert (await pod.ask("GET", f"/xrpc/{GET}", headers=basic)).error == "InvalidToken"

    in_pod(story)


def test_an_expired_access_token_is_told_apart_from_a_bad_one():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        pod.clock.at = START + timedelta(hours=3)
        reply = await pod.get(GET, alice.access)
        assert (reply.status, reply.error) == (400, "ExpiredToken")

    in_pod(story)


def test_a_taken_down_member_signs_in_only_when_they_say_so_and_may_do_little():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await pod.services.accounts.set_standing(SYSTEM, alice.member.id, Standing.TAKENDOWN)
        given = {"identifier": "alice.test", "password": PASSWORD}
        refused = await pod.post(CREATE, given)
        assert (refused.status, refused.error) == (401, "AccountTakedown")
        session = (await pod.post(CREATE, given | {"allowTakendown": True})).json
        assert (session["active"], session["status"]) == (False, "takendown")
        token = session["accessJwt"]
        assert (await pod.get(GET, token)).error == "InvalidToken"
        assert (await pod.get("com.atproto.sync.getRepo", token, did=alice.did)).status == 200
        for_move = {"aud": OTHER, "lxm": "com.atproto.server.createAccount"}
        assert (await pod.get(SERVICE_AUTH, token, **for_move)).status == 200
        assert (await pod.get(SERVICE_AUTH, token, aud=OTHER)).error == "InvalidToken"
        assert (await pod.get(GET, alice.access)).error == "AccountTakedown"
        assert (await pod.post(REFRESH, token=alice.refresh)).error == "AccountTakedown"

    in_pod(story)


def test_a_resting_member_has_a_session_but_does_not_write():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        reply = await pod.post("com.atproto.server.deactivateAccount", {}, alice.access)
        assert reply.status == 200
        shown = await pod.get(GET, alice.access)
        assert (shown.json["active"], shown.json["status"]) == (False, "deactivated")
        record = {"text": "x", "createdAt": "2026-01-02T03:04:05.678Z"}
        given = {"repo": alice.did, "collection": "app.bsky.feed.post", "record": record}
        refused = await pod.post("com.atproto.repo.createRecord", given, alice.access)
        assert (refused.status, refused.error) == (401, "AccountDeactivated")
        assert (
            await pod.post("com.atproto.server.activateAccount", token=alice.access)
        ).status == 200
        assert (await pod.post("com.atproto.repo.createRecord", given, alice.access)).status == 200

    in_pod(story)


def test_an_account_does_not_return_while_its_did_leads_elsewhere():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await pod.post("com.atproto.server.deactivateAccount", {}, alice.access)
        service = pod.directory.documents[alice.did]["service"][0]
        service["serviceEndpoint"] = "https://elsewhere.example"
        reply = await pod.post("com.atproto.server.activateAccount", token=alice.access)
        assert (reply.status, reply.error) == (400, "InvalidRequest")
        status = await pod.get("com.atproto.server.checkAccountStatus", alice.access)
        assert (status.json["activated"], status.json["validDid"]) == (False, False)

    in_pod(story)


def test_an_account_returns_by_a_document_in_the_old_form_that_directories_still_give():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        key = parse_did_key(pod.keys.repo_key(alice.member.id).did_key)
        point = PublicKey(key.point).format(compressed=False)
        pod.directory.documents[alice.did]["verificationMethod"] = [
            {
                "id": "#atproto",
                "type": "EcdsaSecp256k1VerificationKey2019",
                "controller": alice.did,
                "publicKeyMultibase": multibase.encode(point, "base58btc"),
            }
        ]
        status = await pod.get("com.atproto.server.checkAccountStatus", alice.access)
        assert status.json["validDid"] is True

    in_pod(story)


def test_a_service_token_is_the_members_word_to_one_service():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        token = (await pod.get(SERVICE_AUTH, alice.access, aud=OTHER, lxm="a.b.c")).json["token"]
        head, payload, signature = token.split(".")
        claims = json.loads(urlsafe_b64decode(payload + "=="))
        assert (claims["iss"], claims["aud"], claims["lxm"]) == (alice.did, OTHER, "a.b.c")
        key = pod.keys.repo_key(alice.member.id).did_key
        assert verify(key, f"{head}.{payload}".encode(), urlsafe_b64decode(signature + "=="))

    in_pod(story)


def test_service_tokens_have_limits():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        now = int(pod.clock.now().timestamp())
        asked = (
            ({"aud": "not a did"}, "InvalidRequest"),
            ({"aud": f"{OTHER}#a#b"}, "InvalidRequest"),
            ({"aud": OTHER, "exp": now - 10}, "BadExpiration"),
            ({"aud": OTHER, "exp": now + 3700, "lxm": "a.b.c"}, "BadExpiration"),
            ({"aud": OTHER, "exp": now + 100}, "BadExpiration"),
            ({"aud": OTHER, "lxm": GET}, "InvalidRequest"),
        )
        for params, name in asked:
            reply = await pod.get(SERVICE_AUTH, alice.access, **params)
            assert (reply.status, reply.error) == (400, name), params
        good = {"aud": f"{OTHER}#bsky_appview", "exp": now + 3000, "lxm": "a.b.c"}
        assert (await pod.get(SERVICE_AUTH, alice.access, **good)).status == 200
        weak = pod.services.tokens.access(alice.did, Credential.APP_PASSWORD)
        chat = {"aud": OTHER, "lxm": "chat.bsky.convo.sendMessage"}
        assert (await pod.get(SERVICE_AUTH, weak, **chat)).status == 400
        assert (await pod.get(SERVICE_AUTH, alice.access, **chat)).status == 200

    in_pod(story)
