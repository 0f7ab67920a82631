"""The administrator and the moderation service: accounts, takedowns, letters, reports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.atproto.service_jwt import service_jwt
from pod.keys.curves import SigningKey
from pod.model.ids import Did
from pod.settings import AppView
from storage.reports import SqlReports
from tests.kit.xrpc import PASSWORD, SETTINGS, Person, Pod, in_pod

ADMIN = "com.atproto.admin."
SERVER = "com.atproto.server."
STATUS = ADMIN + "updateSubjectStatus"
GET_STATUS = ADMIN + "getSubjectStatus"
OZONE = Did("did:web:mod.example")


def account(person: Person) -> dict[str, Any]:
    return {"$type": "com.atproto.admin.defs#repoRef", "did": person.did}


async def put_status(pod: Pod, subject: dict[str, Any], *, applied: bool, ref: str = "r1") -> None:
    takedown = {"applied": applied} | ({"ref": ref} if applied else {})
    reply = await pod.as_admin(STATUS, {"subject": subject, "takedown": takedown})
    assert reply.status == 200, reply.body
    assert reply.json == {"subject": subject, "takedown": takedown}


def test_an_account_that_is_taken_down_is_shut_and_comes_back_as_it_was():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        before = pod.store.head_seq()
        await put_status(pod, account(alice), applied=True)
        shown = (await pod.as_admin_get(GET_STATUS, did=alice.did)).json
        assert shown["takedown"] == {"applied": True, "ref": "r1"}
        assert (await pod.get(SERVER + "getSession", alice.access)).error == "AccountTakedown"
        assert (await pod.post(SERVER + "refreshSession", token=alice.refresh)).status == 401
        latest = await pod.get("com.atproto.sync.getLatestCommit", did=alice.did)
        assert latest.error == "RepoTakendown"
        await put_status(pod, account(alice), applied=False)
        told = [c.kind for c in pod.store.changes(after=before, limit=9)]
        assert told == ["account", "account", "identity", "sync"]
        assert (await pod.get(SERVER + "getSession", alice.access)).status == 200
        gone = await pod.post(SERVER + "refreshSession", token=alice.refresh)
        assert gone.error == "ExpiredToken"

    in_pod(story)


def test_who_asked_for_rest_while_taken_down_rests_afterwards():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await put_status(pod, account(alice), applied=True)
        given = {"identifier": "alice.test", "password": PASSWORD, "allowTakendown": True}
        access = (await pod.post(SERVER + "createSession", given)).json["accessJwt"]
        assert (await pod.post(SERVER + "deactivateAccount", {}, access)).status == 200
        status = await pod.get("com.atproto.sync.getRepoStatus", did=alice.did)
        assert status.json["status"] == "takendown"
        await put_status(pod, account(alice), applied=False)
        status = await pod.get("com.atproto.sync.getRepoStatus", did=alice.did)
        assert status.json["status"] == "deactivated"

    in_pod(story)


def test_a_record_that_is_taken_down_is_shown_nowhere_but_stays_in_the_repository():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        kept = await pod.write_post(alice, "fine")
        bad = await pod.write_post(alice, "not fine")
        subject = {"$type": "com.atproto.repo.strongRef", "uri": bad["uri"], "cid": bad["cid"]}
        await put_status(pod, subject, applied=True)
        shown = await pod.as_admin_get(GET_STATUS, uri=bad["uri"])
        assert shown.json == {"subject": subject, "takedown": {"applied": True, "ref": "r1"}}
        where = {"repo": alice.did, "collection": "app.bsky.feed.post"}
        rkey = bad["uri"].rpartition("/")[2]
        get = "com.atproto.repo.getRecord"
        assert (await pod.get(get, **where, rkey=rkey)).error == "RecordNotFound"
        listed = await pod.get("com.atproto.repo.listRecords", **where, limit=1)
        assert [r["uri"] for r in listed.json["records"]] == [kept["uri"]]
        feed = await pod.get("app.bsky.feed.getAuthorFeed", alice.access, actor=alice.did)
        assert [item["post"]["uri"] for item in feed.json["feed"]] == [kept["uri"]]
        car = await pod.get("com.atproto.sync.getRepo", did=alice.did)
        assert b"not fine" in car.body
        await put_status(pod, subject, applied=False)
        assert (await pod.get(get, **where, rkey=rkey)).status == 200

    in_pod(story)


def test_a_blob_that_is_taken_down_is_neither_shown_nor_brought_again():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        body = b"\x89PNG\r\n\x1a\n" + b"x" * 40
        blob = (await pod.upload(body, "image/png", alice.access)).json["blob"]
        image = {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": ""}]}
        await pod.write_post(alice, "look", embed=image)
        cid = blob["ref"]["$link"]
        get = "com.atproto.sync.getBlob"
        assert (await pod.get(get, did=alice.did, cid=cid)).body == body
        subject = {"$type": "com.atproto.admin.defs#repoBlobRef", "did": alice.did, "cid": cid}
        await put_status(pod, subject, applied=True)
        shown = await pod.as_admin_get(GET_STATUS, did=alice.did, blob=cid)
        assert shown.json["takedown"]["applied"] is True
        assert (await pod.get(get, did=alice.did, cid=cid)).error == "BlobNotFound"
        assert (await pod.upload(body, "image/png", alice.access)).status == 400
        await put_status(pod, subject, applied=False)
        assert (await pod.get(get, did=alice.did, cid=cid)).status == 200

    in_pod(story)


@pytest.mark.parametrize(
    "subject",
    [
        {"$type": "com.atproto.admin.defs#repoRef", "did": "did:plc:" + "z" * 24},
        {"$type": "app.bsky.other", "did": "did:plc:" + "z" * 24},
    ],
)
def test_a_subject_that_is_none_is_refused(subject: dict[str, Any]):
    async def story(pod: Pod):
        body = {"subject": subject, "takedown": {"applied": True}}
        assert (await pod.as_admin(STATUS, body)).status == 400
        assert (await pod.as_admin_get(GET_STATUS)).status == 400

    in_pod(story)


def test_what_is_known_of_accounts():
    async def story(pod: Pod):
        alice, bob = await pod.join("alice"), await pod.join("bob")
        info = (await pod.as_admin_get(ADMIN + "getAccountInfo", did=alice.did)).json
        assert info == {
            "did": alice.did,
            "handle": "alice.test",
            "email": "alice@mail.example",
            "indexedAt": info["indexedAt"],
            "invites": [],
            "invitesDisabled": False,
        }
        dids = [alice.did, "did:plc:" + "z" * 24, bob.did]
        infos = (await pod.as_admin_get(ADMIN + "getAccountInfos", dids=dids)).json["infos"]
        assert [i["did"] for i in infos] == [alice.did, bob.did]
        lost = await pod.as_admin_get(ADMIN + "getAccountInfo", did=dids[1])
        assert (lost.status, lost.error) == (400, "NotFound")

    in_pod(story)


def test_accounts_are_searched_by_address_page_by_page():
    async def story(pod: Pod):
        names = ("alice", "bobby", "carol")
        people = [await pod.join(name) for name in names]
        found, cursor = [], None
        while True:
            reply = await pod.as_admin_get(ADMIN + "searchAccounts", limit=1, cursor=cursor)
            found += [a["did"] for a in reply.json["accounts"]]
            cursor = reply.json.get("cursor")
            if cursor is None:
                break
        assert found == [person.did for person in people]
        one = await pod.as_admin_get(ADMIN + "searchAccounts", email="BOBBY@")
        assert [a["handle"] for a in one.json["accounts"]] == ["bobby.test"]
        assert (await pod.as_admin_get(ADMIN + "searchAccounts", cursor="x")).status == 400

    in_pod(story)


def test_the_administrator_changes_address_handle_and_password_and_deletes():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        changes = (
            ("updateAccountEmail", {"account": "alice.test", "email": "n@mail.example"}),
            ("updateAccountHandle", {"did": alice.did, "handle": "admin.test"}),
            ("updateAccountPassword", {"did": alice.did, "password": "fresh"}),
        )
        for nsid, body in changes:
            assert (await pod.as_admin(ADMIN + nsid, body)).status == 200, nsid
            assert (await pod.post(ADMIN + nsid, body, alice.access)).status == 401
        login = {"identifier": "n@mail.example", "password": "fresh"}
        session = (await pod.post(SERVER + "createSession", login)).json
        assert session["handle"] == "admin.test"
        assert (await pod.post(SERVER + "refreshSession", token=alice.refresh)).status == 400
        assert (await pod.as_admin(ADMIN + "deleteAccount", {"did": alice.did})).status == 200
        again = await pod.as_admin(ADMIN + "deleteAccount", {"did": alice.did})
        assert (again.status, again.error) == (400, "NotFound")

    in_pod(story)


def test_the_administrator_writes_to_a_member():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        body = {"recipientDid": alice.did, "content": "Hello", "senderDid": OZONE}
        assert (await pod.as_admin(ADMIN + "sendEmail", body)).json == {"sent": True}
        letter = pod.letters[-1]
        assert (letter.to, letter.subject, letter.text) == (
            "alice@mail.example",
            "Message via your PDS",
            "Hello",
        )
        lost = body | {"recipientDid": "did:plc:" + "z" * 24}
        assert (await pod.as_admin(ADMIN + "sendEmail", lost)).status == 400

    in_pod(story)


def moderated(pod: Pod) -> SigningKey:
    """Name a moderation service; its key."""
    key = SigningKey.generate_k256()
    pod.directory.documents[OZONE] = {
        "id": OZONE,
        "verificationMethod": [
            {
                "id": f"{OZONE}#atproto_label",
                "type": "Multikey",
                "controller": OZONE,
                "publicKeyMultibase": key.did_key.removeprefix("did:key:"),
            }
        ],
    }
    pod.become(replace(pod.settings, moderation=AppView("https://mod.example", OZONE)))
    return key


def test_the_moderation_service_acts_with_a_token_of_its_own_and_nobody_else():
    async def story(pod: Pod):
        key = moderated(pod)
        alice = await pod.join("alice")
        now = int(pod.clock.now().timestamp())
        body = {"subject": account(alice), "takedown": {"applied": True}}

        def token(signer: SigningKey, issuer: str, lxm: str = STATUS) -> str:
            return service_jwt(
                signer, issuer=Did(issuer), audience=SETTINGS.did, now_s=now, lxm=lxm
            )

        own = token(pod.keys.repo_key(alice.member.id), alice.did)
        assert (await pod.post(STATUS, body, own)).error == "UntrustedIss"
        other = token(key, f"{OZONE}#atproto_labeler", GET_STATUS)
        assert (await pod.post(STATUS, body, other)).error == "BadJwtLexiconMethod"
        right = token(key, f"{OZONE}#atproto_labeler")
        assert (await pod.post(STATUS, body, right)).status == 200
        only_admin = token(key, f"{OZONE}#atproto_labeler", ADMIN + "deleteAccount")
        gone = await pod.post(ADMIN + "deleteAccount", {"did": alice.did}, only_admin)
        assert gone.status == 401

    in_pod(story)


def test_a_report_goes_to_the_servers_moderation_or_is_kept_for_the_administrator():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        report = "com.atproto.moderation.createReport"
        body = {
            "reasonType": "com.atproto.moderation.defs#reasonSpam",
            "subject": account(alice),
        }
        nobody = await pod.post(report, body | {"reason": "buy now"}, alice.access)
        assert (nobody.status, nobody.json["reportedBy"]) == (200, alice.did)
        assert nobody.json["subject"] == account(alice)
        (kept,) = SqlReports(pod.store.database).newest(limit=9, only_open=True)
        assert (kept.subjects, kept.comment) == ((alice.did,), "spam: buy now")
        pod.services.proxy._moderation = AppView("https://mod.example", OZONE)
        pod.upstream.body = b'{"id":1}'
        assert (await pod.post(report, body, alice.access)).json == {"id": 1}
        url, headers, sent = pod.upstream.asked[-1]
        assert url == f"https://mod.example/xrpc/{report}"
        assert headers["content-type"] == "application/json"
        assert b"reasonSpam" in (sent or b"")
        assert (await pod.post(report, body)).status == 401

    in_pod(story)


def test_nobody_waits_to_sign_up_and_the_pod_labels_nothing():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        queue = await pod.get("com.atproto.temp.checkSignupQueue", alice.access)
        assert queue.json == {"activated": True}
        labels = await pod.get("com.atproto.label.queryLabels", uriPatterns="*")
        assert labels.json == {"labels": []}

    in_pod(story)
