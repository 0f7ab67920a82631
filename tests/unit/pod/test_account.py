"""Accounts: one step to a whole identity, events in the reference's order, no name given twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pod.access.agent import Agent, Credential
from pod.account import PASSWORD, Application
from pod.errors import Forbidden, Invalid, PodError, QuotaExceeded
from pod.handles import HandleRules
from pod.model.ids import Did
from pod.model.member import Member, Standing
from pod.records.cbor import encode
from pod.settings import Limits
from tests.kit.house import Pod, owner
from tests.kit.repo import arrival

ADMIN = Agent(Credential.ADMIN)


def run(story: Any) -> Any:
    return asyncio.run(story)


def refused(pod: Pod, application: Application) -> PodError:
    before = pod.store.head_seq()
    with pytest.raises(PodError) as caught:
        run(pod.accounts.create(application))
    assert pod.store.head_seq() == before
    return caught.value


def kinds(pod: Pod, after: int = 0) -> list[str]:
    return [change.kind for change in pod.store.changes(after=after, limit=99)]


def test_sign_up_makes_identity_keys_repository_and_events_in_order() -> None:
    pod = Pod()
    alice: Member = run(
        pod.accounts.create(Application("Alice.test", "hash", email="a@example.org"))
    )
    assert (alice.handle, alice.origin) == ("alice.test", "http://alice.localhost:2583")
    assert alice.webid == "http://alice.localhost:2583/me"
    assert alice.acct == "alice@alice.localhost:2583"
    assert kinds(pod) == ["identity", "account", "commit", "sync"]
    assert pod.store.secret(alice.id, PASSWORD) == b"hash"
    head = pod.store.repo(alice.id)
    assert head is not None
    assert pod.keyring.repo_key(alice.id).did_key.startswith("did:key:zQ3s")


@pytest.mark.parametrize(
    ("handle", "name"),
    [
        ("al.test", "InvalidHandle"),
        ("a" * 19 + ".test", "InvalidHandle"),
        ("a.b.test", "InvalidHandle"),
        ("admin.test", "HandleNotAvailable"),
        ("alice.test", "HandleNotAvailable"),
        ("elsewhere.example", "UnsupportedDomain"),
        ("alice.onion", "InvalidHandle"),
    ],
)
def test_a_handle_that_cannot_be_given_is_refused_by_name(handle: str, name: str) -> None:
    pod = Pod()
    run(pod.member("alice"))
    assert refused(pod, Application(handle, None)).name == name


def test_an_operator_keeps_back_names_of_their_own() -> None:
    rules = HandleRules(replace(Pod().settings, reserved_handles=("mayor",)))
    for kept in ("mayor.test", "Admin.test"):
        with pytest.raises(Invalid) as refusal:
            rules.parse(kept)
        assert refusal.value.name == "HandleNotAvailable"
        assert rules.parse(kept, may_be_reserved=True) == kept.lower()
    assert rules.parse("mayor.example") == "mayor.example"


def test_an_email_address_opens_one_account() -> None:
    pod = Pod()
    run(pod.accounts.create(Application("alice.test", None, email="a@example.org")))
    again = refused(pod, Application("bobby.test", None, email="a@example.org"))
    assert again.name == "EmailTaken"


def test_a_brought_domain_is_handle_origin_and_if_wished_the_did() -> None:
    pod = Pod()
    pod.domains.add("alice.example")
    did = Did("did:web:alice.example")
    alice: Member = run(pod.accounts.create(Application("alice.example", None, did=did)))
    assert (alice.did, alice.origin) == (did, "https://alice.example")
    assert pod.dids.made == 0
    pod.domains.add("bob.example")
    other = Application("bob.example", None, did=Did("did:web:alice.example"))
    assert refused(pod, other).name == "InvalidDid"


def test_two_people_who_ask_for_one_name_at_once_get_one_account() -> None:
    async def race() -> list[Any]:
        pod = Pod()
        wishes = [pod.accounts.create(Application("alice.test", None)) for _ in range(4)]
        return await asyncio.gather(*wishes, return_exceptions=True)

    outcomes = run(race())
    assert sum(isinstance(outcome, Member) for outcome in outcomes) == 1
    assert all(isinstance(outcome, Member | PodError) for outcome in outcomes)


def test_rest_and_return_tell_the_network() -> None:
    pod = Pod()
    alice = run(pod.member())
    seq = pod.store.head_seq()
    run(pod.accounts.set_standing(owner(alice), alice.id, Standing.DEACTIVATED))
    run(pod.accounts.set_standing(owner(alice), alice.id, Standing.DEACTIVATED))
    run(pod.accounts.set_standing(owner(alice), alice.id, Standing.ACTIVE))
    assert kinds(pod, seq) == ["account", "account", "identity", "sync"]


def test_nobody_lifts_their_own_takedown() -> None:
    pod = Pod()
    alice = run(pod.member())
    run(pod.accounts.set_standing(ADMIN, alice.id, Standing.TAKENDOWN))
    with pytest.raises(Forbidden):
        run(pod.accounts.set_standing(owner(alice), alice.id, Standing.ACTIVE))
    run(pod.accounts.set_standing(ADMIN, alice.id, Standing.ACTIVE))
    with pytest.raises(Forbidden):
        run(pod.accounts.set_standing(owner(alice), alice.id, Standing.SUSPENDED))


def test_a_new_handle_is_said_in_the_did_document_first() -> None:
    pod = Pod()
    alice = run(pod.member())
    seq = pod.store.head_seq()
    changed: Member = run(pod.accounts.set_handle(alice, "alison.test"))
    assert changed.handle == "alison.test"
    assert changed.origin == alice.origin
    assert pod.dids.handles[alice.did] == "alison.test"
    assert kinds(pod, seq) == ["identity"]


def test_an_import_replaces_the_records_and_keeps_their_bytes() -> None:
    async def story() -> None:
        pod = Pod()
        alice, bob = await pod.member("alice"), await pod.member("bobby")
        blocks = {
            f"com.example.thing/{i:03}": encode({"$type": "com.example.thing", "n": i})
            for i in range(300)
        }
        await pod.transfer.import_repo(owner(alice), alice.id, arrival(blocks))
        index = dict(pod.store.record_index(alice.id))
        assert list(index) == sorted(blocks)
        found = pod.store.record_blocks(alice.id, list(index.values()))
        assert {key: found[cid] for key, cid in index.items()} == blocks
        fewer = {key: blocks[key] for key in list(blocks)[:10]}
        head = await pod.transfer.import_repo(owner(alice), alice.id, arrival(fewer))
        assert list(dict(pod.store.record_index(alice.id))) == sorted(fewer)
        assert pod.store.repo(alice.id) == head
        with pytest.raises(Forbidden):
            await pod.transfer.import_repo(owner(bob), alice.id, arrival({}))

    run(story())


def test_an_import_over_the_quota_changes_nothing() -> None:
    async def story() -> None:
        pod = Pod(limits=Limits(quota_bytes=5_000))
        alice = await pod.member("alice")
        before = pod.store.repo(alice.id)
        blocks = {
            f"com.example.thing/{i:03}": encode({"$type": "com.example.thing", "n": i})
            for i in range(300)
        }
        with pytest.raises(QuotaExceeded):
            await pod.transfer.import_repo(owner(alice), alice.id, arrival(blocks))
        assert pod.store.repo(alice.id) == before
        assert list(pod.store.record_index(alice.id)) == []
        few = {key: blocks[key] for key in list(blocks)[:50]}
        await pod.transfer.import_repo(owner(alice), alice.id, arrival(few))
        assert len(list(pod.store.record_index(alice.id))) == 50

    asyncio.run(story())
