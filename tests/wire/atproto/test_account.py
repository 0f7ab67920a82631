"""describeServer, createAccount, identity methods and preferences."""

from __future__ import annotations

from datetime import timedelta

from pod.access.agent import Credential
from tests.kit.xrpc import ORIGIN, PASSWORD, Pod, in_pod

CREATE = "com.atproto.server.createAccount"
RESOLVE = "com.atproto.identity.resolveHandle"
GET_PREFS = "app.bsky.actor.getPreferences"
PUT_PREFS = "app.bsky.actor.putPreferences"


def test_the_server_describes_itself():
    async def story(pod: Pod):
        reply = await pod.get("com.atproto.server.describeServer")
        assert reply.json == {
            "did": "did:web:pods.example",
            "availableUserDomains": [".test"],
            "inviteCodeRequired": False,
            "blobUploadLimit": 100_000,
            "links": {},
            "contact": {},
        }

    in_pod(story)


def test_sign_up_gives_a_did_an_empty_repo_and_a_session():
    async def story(pod: Pod):
        given = {"handle": "Alice.test", "email": "A@mail.example", "password": PASSWORD}
        reply = await pod.post(CREATE, given)
        assert reply.json["handle"] == "alice.test"
        assert reply.json["didDoc"]["id"] == reply.json["did"]
        did = reply.json["did"]
        head = await pod.get("com.atproto.sync.getLatestCommit", did=did)
        assert head.status == 200
        session = await pod.get("com.atproto.server.getSession", reply.json["accessJwt"])
        assert session.json["email"] == "a@mail.example"

    in_pod(story)


def test_refused_sign_ups_leave_nothing_behind():
    async def story(pod: Pod):
        await pod.join("alice")
        good = {"handle": "bob.test", "email": "bob@mail.example", "password": PASSWORD}
        before = pod.state()
        asked = (
            ({"handle": "alice.test"}, "HandleNotAvailable"),
            ({"email": "alice@mail.example"}, "EmailTaken"),
            ({"handle": "bo.test"}, "InvalidHandle"),
            ({"handle": "a" * 19 + ".test"}, "InvalidHandle"),
            ({"handle": "a.b.test"}, "InvalidHandle"),
            ({"handle": "admin.test"}, "HandleNotAvailable"),
            ({"handle": "bob.example.com"}, "UnsupportedDomain"),
            ({"handle": "bob.onion"}, "InvalidHandle"),
            ({"handle": "bob"}, "InvalidRequest"),
            ({"email": "no address"}, "InvalidRequest"),
            ({"email": ""}, "InvalidRequest"),
            ({"email": "bob@throwaway.example"}, "InvalidRequest"),
            ({"password": "x" * 257}, "InvalidRequest"),
            ({"plcOp": {}}, "InvalidRequest"),
            ({"did": "did:plc:" + "x" * 24}, "AuthenticationRequired"),
            ({"did": "did:web:alice.test"}, "AuthenticationRequired"),
        )
        for change, name in asked:
            reply = await pod.post(CREATE, good | change)
            assert reply.status in (400, 401), (change, reply.body)
            assert reply.error == name, (change, reply.body)
        assert pod.state() == before
        pod.directory.is_down = True
        assert (await pod.post(CREATE, good)).error == "UpstreamFailure"
        assert pod.state() == before

    in_pod(story)


def test_a_did_web_may_be_chosen_on_the_domain_of_the_handle():
    async def story(pod: Pod):
        given = {"handle": "carol.test", "email": "c@mail.example", "password": PASSWORD}
        reply = await pod.post(CREATE, given | {"did": "did:web:carol.test"})
        assert reply.json["did"] == "did:web:carol.test"

    in_pod(story)


def test_a_brought_domain_must_lead_here():
    async def story(pod: Pod):
        pod.directory.here.add("alice.blue")
        given = {"handle": "alice.blue", "email": "a@mail.example", "password": PASSWORD}
        reply = await pod.post(CREATE, given)
        assert reply.json["handle"] == "alice.blue"

    in_pod(story)


def test_handles_are_resolved_here_first_and_then_in_the_network():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        pod.directory.handles["far.example"] = "did:plc:" + "f" * 24
        assert (await pod.get(RESOLVE, handle="ALICE.test")).json == {"did": alice.did}
        assert (await pod.get(RESOLVE, handle="far.example")).json["did"].endswith("fff")
        assert (await pod.get(RESOLVE, handle="nobody.test")).error == "HandleNotFound"
        assert (await pod.get(RESOLVE, handle="nobody.example")).status == 400
        assert (await pod.get(RESOLVE, handle="not a handle")).status == 400
        assert (await pod.get(RESOLVE)).status == 400

    in_pod(story)


def test_a_new_handle_is_in_the_did_document_and_resolves():
    async def story(pod: Pod):
        alice, _ = await pod.join("alice"), await pod.join("bob")
        method = "com.atproto.identity.updateHandle"
        assert (await pod.post(method, {"handle": "bob.test"}, alice.access)).error == (
            "HandleNotAvailable"
        )
        assert (await pod.post(method, {"handle": "alicia.test"}, alice.access)).status == 200
        assert (await pod.get(RESOLVE, handle="alicia.test")).json == {"did": alice.did}
        assert pod.directory.documents[alice.did]["alsoKnownAs"][0] == "at://alicia.test"

    in_pod(story)


def test_the_recommended_credentials_name_this_server():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        reply = await pod.get("com.atproto.identity.getRecommendedDidCredentials", alice.access)
        assert reply.json["alsoKnownAs"] == ["at://alice.test"]
        assert reply.json["services"]["atproto_pds"]["endpoint"] == ORIGIN
        key = reply.json["verificationMethods"]["atproto"]
        assert key.endswith(
            pod.directory.documents[alice.did]["verificationMethod"][0]["publicKeyMultibase"]
        )

    in_pod(story)


def test_the_status_counts_records_and_blobs():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await pod.write_post(alice, "hello")
        reply = await pod.get("com.atproto.server.checkAccountStatus", alice.access)
        head = pod.store.repo(alice.member.id)
        assert reply.json["repoRev"] == head.rev
        assert (reply.json["repoBlocks"], reply.json["indexedRecords"]) == (3, 1)
        assert (reply.json["activated"], reply.json["validDid"]) == (True, True)
        pod.directory.is_down = True
        reply = await pod.get("com.atproto.server.checkAccountStatus", alice.access)
        assert (reply.status, reply.json["validDid"]) == (200, False)

    in_pod(story)


PERSONAL = {
    "$type": "app.bsky.actor.defs#personalDetailsPref",
    "birthDate": "1990-01-01T00:00:00.000Z",
}
OF_AGE = {
    "$type": "app.bsky.actor.defs#declaredAgePref",
    "isOverAge13": True,
    "isOverAge16": True,
    "isOverAge18": True,
}
ADULT = {"$type": "app.bsky.actor.defs#adultContentPref", "enabled": True}


def test_preferences_come_back_as_they_were_put():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        assert (await pod.get(GET_PREFS, alice.access)).json == {"preferences": []}
        put = await pod.post(PUT_PREFS, {"preferences": [PERSONAL, ADULT]}, alice.access)
        assert put.status == 200
        kept = (await pod.get(GET_PREFS, alice.access)).json["preferences"]
        assert kept == [PERSONAL, ADULT, OF_AGE]

    in_pod(story)


def test_somebody_comes_of_age_on_their_birthday():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        today = pod.services.clock.now()
        for days, is_over in ((0, True), (1, False)):
            born = (today + timedelta(days=days)).replace(year=today.year - 13)
            pref = PERSONAL | {"birthDate": born.strftime("%Y-%m-%dT00:00:00.000Z")}
            await pod.post(PUT_PREFS, {"preferences": [pref]}, alice.access)
            age = (await pod.get(GET_PREFS, alice.access)).json["preferences"][-1]
            assert (age["isOverAge13"], age["isOverAge16"]) == (is_over, False)

    in_pod(story)


def test_an_app_password_neither_sees_nor_loses_personal_details():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        weak = pod.services.tokens.access(alice.did, Credential.APP_PASSWORD)
        await pod.post(PUT_PREFS, {"preferences": [PERSONAL]}, alice.access)
        assert (await pod.get(GET_PREFS, weak)).json == {"preferences": [OF_AGE]}
        assert (await pod.post(PUT_PREFS, {"preferences": [ADULT]}, weak)).status == 200
        refused = await pod.post(PUT_PREFS, {"preferences": [PERSONAL]}, weak)
        assert refused.status == 400
        kept = (await pod.get(GET_PREFS, alice.access)).json["preferences"]
        assert kept == [ADULT, PERSONAL, OF_AGE]

    in_pod(story)
