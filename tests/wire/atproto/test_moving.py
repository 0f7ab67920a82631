"""Moving in from another server and out to one, and the operations of did:plc that it takes."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.atproto import face
from adapters.atproto.did.plc import genesis, plc_did, update
from adapters.atproto.service_jwt import service_jwt
from pod.keys.curves import SigningKey
from pod.model.ids import Did, Handle
from tests.kit.xrpc import ORIGIN, PASSWORD, SETTINGS, Person, Pod, in_pod

SERVER = "com.atproto.server."
IDENTITY = "com.atproto.identity."
CREATE = SERVER + "createAccount"
OLD = "https://old.example"


class Stranger:
    """Somebody whose account is elsewhere."""

    def __init__(self, pod: Pod, handle: str = "alice.test") -> None:
        self.pod = pod
        self.handle = Handle(handle)
        self.key, self.rotation = SigningKey.generate_k256(), SigningKey.generate_k256()
        self.did = Did("")

    async def live(self) -> Stranger:
        operation = genesis(
            handle=self.handle,
            webid=f"{OLD}/me",
            signing_key=self.key.did_key,
            rotation_keys=[self.rotation.did_key],
            pds=OLD,
            key=self.rotation,
        )
        self.did = plc_did(operation)
        await self.pod.directory.submit(self.did, operation)
        return self

    def token(self, **changes: Any) -> str:
        now = int(self.pod.clock.now().timestamp())
        given = {
            "issuer": self.did,
            "audience": SETTINGS.did,
            "now_s": now,
            "lxm": CREATE,
        }
        return service_jwt(self.key, **(given | changes))

    def wish(self, **changes: Any) -> dict[str, Any]:
        mail = f"{self.handle.split('.')[0]}@mail.example"
        given = {"handle": self.handle, "did": self.did, "email": mail, "password": PASSWORD}
        return given | changes

    async def move_in(self) -> Person:
        reply = await self.pod.post(CREATE, self.wish(), self.token())
        assert reply.status == 200, reply.body
        member = self.pod.store.member_by_did(self.did)
        assert member is not None
        return Person(member, reply.json["accessJwt"], reply.json["refreshJwt"])

    async def point_here(self, person: Person) -> None:
        """Change the DID document as the pod recommends."""

        wanted = (await self.pod.get(IDENTITY + "getRecommendedDidCredentials", person.access)).json
        last = await self.pod.directory.last_operation(self.did)
        operation = update(last, self.rotation, **wanted)
        reply = await self.pod.post(
            IDENTITY + "submitPlcOperation", {"operation": operation}, person.access
        )
        assert reply.status == 200, reply.body


def kinds(pod: Pod) -> list[str]:
    return [change.kind for change in pod.store.changes(after=0, limit=99)]


def test_who_moves_in_rests_until_the_did_leads_here_and_then_the_network_is_told():
    async def story(pod: Pod):
        alice = await Stranger(pod).live()
        person = await alice.move_in()
        assert pod.store.frames(after=0, limit=9) == []
        session = (await pod.get(SERVER + "getSession", person.access)).json
        assert (session["active"], session["status"]) == (False, "deactivated")
        gone = await pod.get("com.atproto.sync.getLatestCommit", did=alice.did)
        assert gone.error == "RepoDeactivated"
        status = (await pod.get(SERVER + "checkAccountStatus", person.access)).json
        assert (status["activated"], status["validDid"]) == (False, False)
        early = await pod.post(SERVER + "activateAccount", None, person.access)
        assert early.status == 400

        await alice.point_here(person)
        status = (await pod.get(SERVER + "checkAccountStatus", person.access)).json
        assert status["validDid"] is True
        assert (await pod.post(SERVER + "activateAccount", None, person.access)).status == 200
        assert kinds(pod) == ["sync", "identity", "account", "identity", "sync"]
        await pod.write_post(person, "here now")
        audit = face.RepoAudit(alice.did)
        for change in pod.store.changes(after=0, limit=99):
            assert list(audit.take(change, frame_is_due=True)) == []
        key = pod.keys.repo_key(person.member.id).did_key
        assert list(audit.head(pod.store.repo(person.member.id), key)) == []

    in_pod(story)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"audience": "did:web:other.example"}, "BadJwtAudience"),
        ({"lxm": "com.atproto.repo.uploadBlob"}, "BadJwtLexiconMethod"),
        ({"lxm": None}, "BadJwtLexiconMethod"),
        ({"life_s": -1}, "JwtExpired"),
        ({"issuer": "did:web:nobody.example"}, "BadJwtIssuer"),
        ({"issuer": "nonsense"}, "BadJwtIssuer"),
    ],
)
def test_a_token_that_proves_nothing_lets_nobody_move_in(changes: dict[str, Any], name: str):
    async def story(pod: Pod):
        alice = await Stranger(pod).live()
        reply = await pod.post(CREATE, alice.wish(), alice.token(**changes))
        assert (reply.status, reply.error) == (401, name)

    in_pod(story)


def test_a_token_signed_with_another_key_or_of_another_did_lets_nobody_move_in():
    async def story(pod: Pod):
        alice, bob = await Stranger(pod).live(), await Stranger(pod, "bob.test").live()
        forged = Stranger(pod)
        forged.did = alice.did
        reply = await pod.post(CREATE, alice.wish(), forged.token())
        assert (reply.status, reply.error) == (401, "BadJwtSignature")
        reply = await pod.post(CREATE, alice.wish(), bob.token())
        assert (reply.status, reply.error) == (401, "AuthenticationRequired")
        for bad in ("x", "a.b.c", "e30.e30.", (await pod.join("carol")).access):
            assert (await pod.post(CREATE, alice.wish(), bad)).status == 401

    in_pod(story)


def test_nobody_moves_in_twice_but_who_was_deleted_may_come_back():
    async def story(pod: Pod):
        alice = await Stranger(pod).live()
        person = await alice.move_in()
        again = alice.wish(handle="alicia.test", email="b@mail.example")
        assert (await pod.post(CREATE, again, alice.token())).error == "AlreadyExists"
        await pod.services.farewell.delete(person.member.id)
        back = await alice.move_in()
        assert back.member.did == alice.did
        assert back.member.standing == "deactivated"

    in_pod(story)


def test_a_key_that_was_reserved_for_a_did_is_its_key_here():
    async def story(pod: Pod):
        alice = await Stranger(pod).live()
        reserved = await pod.post(SERVER + "reserveSigningKey", {"did": alice.did})
        person = await alice.move_in()
        wanted = await pod.get(IDENTITY + "getRecommendedDidCredentials", person.access)
        assert wanted.json["verificationMethods"]["atproto"] == reserved.json["signingKey"]

    in_pod(story)


def test_a_handle_on_a_domain_of_ones_own_comes_along_if_it_resolves_to_the_did():
    async def story(pod: Pod):
        alice = await Stranger(pod, "alice.blue").live()
        refused = await pod.post(CREATE, alice.wish(), alice.token())
        assert (refused.status, refused.error) == (400, "InvalidRequest")
        pod.directory.handles["alice.blue"] = alice.did
        person = await alice.move_in()
        assert person.member.handle == "alice.blue"
        assert person.member.origin == "https://alice.test"

    in_pod(story)


def test_the_server_signs_an_operation_for_who_shows_the_code_from_the_mail():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        sign = IDENTITY + "signPlcOperation"
        assert (await pod.post(sign, {}, alice.access)).status == 400
        assert (await pod.post(sign, {"token": "AAAAA-AAAAA"}, alice.access)).error == (
            "InvalidToken"
        )
        asked = await pod.post(IDENTITY + "requestPlcOperationSignature", None, alice.access)
        assert asked.status == 200
        own = SigningKey.generate_k256().did_key
        server = pod.keys.rotation_key().did_key
        given = {"token": pod.code(), "rotationKeys": [own, server]}
        signed = await pod.post(sign, given, alice.access)
        assert signed.status == 200, signed.body
        assert (await pod.post(sign, given, alice.access)).error == "InvalidToken"
        operation = signed.json["operation"]
        assert operation["rotationKeys"] == [own, server]
        submit = IDENTITY + "submitPlcOperation"
        before = pod.store.head_seq()
        assert (await pod.post(submit, {"operation": operation}, alice.access)).status == 200
        assert [c.kind for c in pod.store.changes(after=before, limit=9)] == ["identity"]
        log = await pod.directory.audit_log(alice.did)
        assert log[-1]["operation"] == operation

    in_pod(story)


def test_an_operation_after_which_the_account_could_not_be_served_is_not_submitted():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        good = await pod.directory.last_operation(alice.did)
        other = SigningKey.generate_k256().did_key
        pds = {"type": "AtprotoPersonalDataServer", "endpoint": ORIGIN}
        wrong = (
            ({"rotationKeys": [other]}, "Rotation keys do not include server's rotation key"),
            (
                {"services": {"atproto_pds": pds | {"type": "Other"}}},
                "Incorrect type on atproto_pds service",
            ),
            (
                {"services": {"atproto_pds": pds | {"endpoint": OLD}}},
                "Incorrect endpoint on atproto_pds service",
            ),
            ({"services": {}}, "Incorrect type on atproto_pds service"),
            ({"verificationMethods": {"atproto": other}}, "Incorrect signing key"),
            ({"alsoKnownAs": ["at://bob.test"]}, "Incorrect handle in alsoKnownAs"),
            ({"alsoKnownAs": []}, "Incorrect handle in alsoKnownAs"),
            ({"type": "plc_tombstone"}, "Invalid operation"),
            ({"sig": 7}, "Invalid operation"),
        )
        for changes, text in wrong:
            body = {"operation": good | changes}
            reply = await pod.post(IDENTITY + "submitPlcOperation", body, alice.access)
            assert (reply.status, reply.json["message"]) == (400, text)
        assert len(await pod.directory.audit_log(alice.did)) == 1

    in_pod(story)


def test_the_members_own_recovery_key_stands_before_the_servers():
    async def story(pod: Pod):
        own = SigningKey.generate_k256().did_key
        given = {"handle": "alice.test", "email": "a@mail.example", "password": PASSWORD}
        did = (await pod.post(CREATE, given | {"recoveryKey": own})).json["did"]
        operation = await pod.directory.last_operation(did)
        assert operation["rotationKeys"] == [own, pod.keys.rotation_key().did_key]

    in_pod(story)


def test_a_member_who_lost_the_servers_key_from_their_did_is_not_activated():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await pod.post(SERVER + "deactivateAccount", {}, alice.access)
        document = pod.directory.documents[alice.did]
        elsewhere = document["service"][0] | {"serviceEndpoint": OLD}
        pod.directory.documents[alice.did] = document | {"service": [elsewhere]}
        reply = await pod.post(SERVER + "activateAccount", None, alice.access)
        assert (reply.status, reply.error) == (400, "InvalidRequest")

    in_pod(story)


def test_identities_are_resolved_both_ways():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        document = pod.directory.documents[alice.did]
        known = {"did": alice.did, "handle": "alice.test", "didDoc": document}
        for identifier in (alice.did, "alice.test"):
            reply = await pod.get(IDENTITY + "resolveIdentity", identifier=identifier)
            assert reply.json == known
        fresh = await pod.post(IDENTITY + "refreshIdentity", {"identifier": alice.did})
        assert fresh.json == known
        assert (await pod.get(IDENTITY + "resolveDid", did=alice.did)).json == {"didDoc": document}
        bob = await Stranger(pod, "bob.blue").live()
        liar = await pod.get(IDENTITY + "resolveIdentity", identifier=bob.did)
        assert liar.json["handle"] == "handle.invalid"
        nobody = await pod.get(IDENTITY + "resolveDid", did="did:plc:" + "z" * 24)
        assert (nobody.status, nobody.error) == (400, "DidNotFound")
        lost = await pod.get(IDENTITY + "resolveIdentity", identifier="lost.blue")
        assert (lost.status, lost.error) == (400, "HandleNotFound")

    in_pod(story)


def test_a_blob_is_uploaded_with_a_token_that_the_member_signed_for_it():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        key = pod.keys.repo_key(alice.member.id)
        now = int(pod.clock.now().timestamp())
        nsid = "com.atproto.repo.uploadBlob"
        token = service_jwt(key, issuer=alice.did, audience=SETTINGS.did, now_s=now, lxm=nsid)
        assert (await pod.upload(b"hello", "text/plain", token)).status == 200
        other = service_jwt(key, issuer=alice.did, audience=SETTINGS.did, now_s=now, lxm=CREATE)
        assert (await pod.upload(b"hello", "text/plain", other)).error == "BadJwtLexiconMethod"

    in_pod(story)
