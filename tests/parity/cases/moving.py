"""An account moves from one server to another of its kind."""

from __future__ import annotations

from tests.parity.subject import PASSWORD, Account, Caller, Json, Subject, post, write

CAR = {"content-type": "application/vnd.ipld.car"}


def _token(alice: Account, to: Subject, lxm: str = "com.atproto.server.createAccount") -> str:
    token: str = alice.get("server.getServiceAuth", aud=to.did, lxm=lxm)["token"]
    return token


def _begin(alice: Account, to: Subject) -> Account:
    """Alice's account on the new server, resting."""
    body = {
        "handle": alice.handle,
        "email": alice.email,
        "password": PASSWORD,
        "did": alice.did,
    }
    caller = Caller(to, f"Bearer {_token(alice, to)}")
    session = caller.post("server.createAccount", **body)
    return Account(to, session, alice.email, PASSWORD)


def _carry(alice: Account, there: Account) -> None:
    answer = alice.ask("GET", "sync.getRepo", params={"did": alice.did})
    taken = there.ask("POST", "repo.importRepo", content=answer.content, headers=CAR)
    assert taken.status_code == 200, taken.text


def _turn(alice: Account, there: Account) -> None:
    """Let the DID lead to the new server."""
    wanted = there.get("identity.getRecommendedDidCredentials")
    alice.post("identity.requestPlcOperationSignature")
    code = alice.server.mail.code_for(alice.email)
    signed = alice.post("identity.signPlcOperation", token=code, **wanted)
    there.post("identity.submitPlcOperation", operation=signed["operation"])


def _filled(server: Subject) -> tuple[Account, Json]:
    alice = server.member()
    alice.apply(*[write("create", value=post(str(n))) for n in range(12)])
    blob = alice.upload(b"carried along", "text/plain")
    alice.create({"$type": "com.example.file", "file": blob})
    return alice, blob


def a_did_of_ones_own_comes_with_a_token_and_rests(server: Subject) -> None:
    there = _begin(server.member(), server.other("second"))
    told = there.get("server.getSession")
    assert (told["active"], told["status"]) == (False, "deactivated")


def a_token_of_another_brings_no_did(server: Subject) -> None:
    alice, bob, to = server.member(), server.member(), server.other("second")
    caller = Caller(to, f"Bearer {_token(bob, to)}")
    refusal = caller.post_refused("server.createAccount", **to.application(did=alice.did))
    assert refusal[0] in (400, 401, 403)


def a_token_for_another_method_brings_no_did(server: Subject) -> None:
    alice, to = server.member(), server.other("second")
    token = _token(alice, to, "com.atproto.repo.uploadBlob")
    body = to.application(did=alice.did)
    refusal = Caller(to, f"Bearer {token}").post_refused("server.createAccount", **body)
    assert refusal[0] in (400, 401, 403)


def a_token_for_another_server_brings_no_did(server: Subject) -> None:
    alice, to = server.member(), server.other("second")
    lxm = "com.atproto.server.createAccount"
    token = alice.get("server.getServiceAuth", aud="did:web:other.example", lxm=lxm)["token"]
    body = to.application(did=alice.did)
    refusal = Caller(to, f"Bearer {token}").post_refused("server.createAccount", **body)
    assert refusal[0] in (400, 401, 403)


def an_account_that_rests_before_its_move_is_not_told_as_valid(server: Subject) -> None:
    there = _begin(server.member(), server.other("second"))
    told = there.get("server.checkAccountStatus")
    assert (told["activated"], told["validDid"]) == (False, False)


def an_account_is_not_activated_before_its_did_leads_there(server: Subject) -> None:
    there = _begin(server.member(), server.other("second"))
    assert there.post_refused("server.activateAccount")[0] == 400


def a_repo_is_carried_over(server: Subject) -> None:
    alice, _ = _filled(server)
    there = _begin(alice, server.other("second"))
    _carry(alice, there)
    told = there.get("server.checkAccountStatus")
    assert (told["indexedRecords"], told["expectedBlobs"], told["importedBlobs"]) == (13, 1, 0)


def blobs_are_told_as_missing_after_the_repo_was_carried(server: Subject) -> None:
    alice, blob = _filled(server)
    there = _begin(alice, server.other("second"))
    _carry(alice, there)
    (missing,) = there.get("repo.listMissingBlobs")["blobs"]
    assert missing["cid"] == blob["ref"]["$link"]
    assert missing["recordUri"].startswith(f"at://{alice.did}/com.example.file/")


def a_blob_that_was_carried_is_missing_no_more(server: Subject) -> None:
    alice, _ = _filled(server)
    there = _begin(alice, server.other("second"))
    _carry(alice, there)
    there.upload(b"carried along", "text/plain")
    assert there.get("repo.listMissingBlobs")["blobs"] == []
    assert there.get("server.checkAccountStatus")["importedBlobs"] == 1


def the_whole_move_leads_to_the_same_repo(server: Subject) -> None:
    alice, blob = _filled(server)
    to = server.other("second")
    there = _begin(alice, to)
    _carry(alice, there)
    there.upload(b"carried along", "text/plain")
    _turn(alice, there)
    assert there.get("server.checkAccountStatus")["validDid"] is True
    there.post("server.activateAccount")
    alice.post("server.deactivateAccount", deleteAfter="2030-01-01T00:00:00.000Z")
    moved = to.anyone.car("sync.getRepo", did=alice.did).records()
    assert moved == alice.car("sync.getRepo", did=alice.did).records()
    assert to.registered(alice.did)["services"]["atproto_pds"]["endpoint"] == to.url
    where = {"did": alice.did, "cid": blob["ref"]["$link"]}
    assert to.anyone.ask("GET", "sync.getBlob", params=where).content == b"carried along"
    assert there.create(post("from the new home"))["uri"]


def a_move_is_told_as_account_identity_sync(server: Subject) -> None:
    alice, _ = _filled(server)
    to = server.other("second")
    there = _begin(alice, to)
    _carry(alice, there)
    _turn(alice, there)
    with to.events() as events:
        there.post("server.activateAccount")
        seen = events.of(alice.did, "#sync")
    assert [event["t"] for event in seen] == ["#account", "#identity", "#sync"]


def a_key_is_reserved_for_a_move(server: Subject) -> None:
    key = _reserved(server)
    assert key.startswith("did:key:z")


def _reserved(server: Subject) -> str:
    answer = server.anyone.ask("POST", "server.reserveSigningKey", json={})
    assert answer.status_code == 200, answer.text
    key: str = answer.json()["signingKey"]
    return key


def the_key_reserved_for_a_did_stays_the_same(server: Subject) -> None:
    did = server.member().did
    first = server.anyone.post("server.reserveSigningKey", did=did)["signingKey"]
    assert server.anyone.post("server.reserveSigningKey", did=did)["signingKey"] == first


def keys_reserved_for_nobody_differ(server: Subject) -> None:
    keys = {_reserved(server) for _ in range(3)}
    assert len(keys) == 3
