"""What the well-known corner says of a member is the same person everywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from adapters.identity import host_meta, nodeinfo
from adapters.identity.documents import did_web, member_document, server_document
from adapters.identity.usage import Used
from adapters.identity.webfinger import (
    ServerActor,
    is_about,
    is_about_server,
    jrd_of,
    server_jrd,
)
from pod.model.ids import Did, Handle, Iri, MemberId, Origin
from pod.model.member import Member, Standing

ALICE = Member(
    MemberId(1),
    Did("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"),
    Handle("alice.test"),
    Origin("https://alice.example"),
    Standing.ACTIVE,
    datetime(2026, 1, 1, tzinfo=UTC),
)
SERVER = Origin("https://pods.example")
ACCOUNT = {
    "@context": ["https://www.w3.org/ns/did/v1"],
    "id": ALICE.did,
    "alsoKnownAs": ["at://alice.test", ALICE.webid, "did:web:alice.example"],
    "verificationMethod": [
        {
            "id": f"{ALICE.did}#atproto",
            "type": "Multikey",
            "controller": ALICE.did,
            "publicKeyMultibase": "zQ3shKey",
        }
    ],
    "service": [
        {
            "id": "#atproto_pds",
            "type": "AtprotoPersonalDataServer",
            "serviceEndpoint": "https://pods.example",
        }
    ],
}


@pytest.mark.parametrize(
    "resource",
    [
        "https://alice.example",
        "https://alice.example/",
        "https://alice.example/me",
        "https://alice.example/profile/card#me",
        "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa",
        "at://alice.test",
    ],
)
def test_every_name_of_a_member_finds_them(resource: str) -> None:
    assert is_about(resource, ALICE)


@pytest.mark.parametrize(
    "resource",
    [
        "acct:bob@alice.example",
        "acct:alice@pods.example",
        "acct:alice",
        "https://alice.example.evil.example/me",
        "https://alice.example/repo/x/y",
        "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb",
        "",
    ],
)
def test_other_names_do_not(resource: str) -> None:
    assert not is_about(resource, ALICE)


def test_webfinger_leads_to_the_actor_by_the_type_that_peers_look_for() -> None:
    jrd = jrd_of(ALICE, issuer=SERVER)
    assert jrd["subject"] == "acct:alice@alice.example"
    assert ALICE.did in jrd["aliases"]
    selfs = [link for link in jrd["links"] if link["rel"] == "self"]
    assert selfs[0]["type"] == "application/activity+json"
    assert all(link["href"] == ALICE.webid for link in selfs)


def test_webfinger_keeps_only_the_relations_asked_for() -> None:
    jrd = jrd_of(ALICE, issuer=SERVER, rels=["http://www.w3.org/ns/solid/terms#oidcIssuer"])
    assert [link["href"] for link in jrd["links"]] == [SERVER]


def test_the_mirror_has_the_accounts_keys_and_no_second_account() -> None:
    mirror = member_document(ALICE, ACCOUNT)
    assert mirror["id"] == "did:web:alice.example"
    assert mirror["alsoKnownAs"] == [ALICE.did, "at://alice.test", ALICE.webid]
    (key,) = mirror["verificationMethod"]
    assert key["publicKeyMultibase"] == "zQ3shKey"
    assert key["controller"] == mirror["id"]
    assert not key["id"].endswith("#atproto")
    assert "service" not in mirror


def test_an_account_that_is_a_did_web_is_served_as_it_is() -> None:
    account = {**ACCOUNT, "id": "did:web:alice.example"}
    member = replace(ALICE, did=Did("did:web:alice.example"))
    assert member_document(member, account) == account


def test_a_port_is_encoded_in_a_did_web() -> None:
    assert did_web(Origin("http://alice.localhost:2583")) == "did:web:alice.localhost%3A2583"


def test_the_server_names_its_service() -> None:
    document = server_document(SERVER)
    assert document["id"] == "did:web:pods.example"
    assert document["service"][0]["serviceEndpoint"] == SERVER


def test_host_meta_is_the_same_in_both_forms() -> None:
    root = ET.fromstring(host_meta.xrd(SERVER))
    (link,) = root
    assert link.attrib["template"] == host_meta.jrd(SERVER)["links"][0]["template"]


def test_nodeinfo_links_stay_on_the_origin_that_was_asked() -> None:
    links = nodeinfo.discovery(ALICE.origin, None)["links"]
    assert [link["href"] for link in links] == [
        "https://alice.example/nodeinfo/2.0",
        "https://alice.example/nodeinfo/2.1",
    ]
    used = Used(members=1, month=0, half_year=0, posts=0)
    document = nodeinfo.document(
        "2.1", host="alice.example", software="1.2.3", used=used, open_sign_up=False
    )
    assert document["version"] == "2.1"
    assert document["software"] == {"name": "commonpod", "version": "1.2.3"}


@pytest.mark.parametrize(
    ("resource", "found"),
    [("https://coop.example", True), ("https://coop.example/", True),
     ("https%3A%2F%2Fcoop.example", True), ("acct:Coop.example@coop.example", True),
     ("https://coop.example/actor", True), ("https://coop.example/other", False),
     ("http://coop.example", False), ("acct:alice@coop.example", False)],
)  # fmt: skip
def test_the_server_is_found_by_its_address_and_says_who_speaks_for_it(
    resource: str, found: bool
) -> None:
    actor = ServerActor("coop.example", Iri("https://coop.example/actor"))
    assert is_about_server(resource, actor, "coop.example") is found
    links = {link["rel"]: link["href"] for link in server_jrd(actor, "coop.example")["links"]}
    assert links["https://www.w3.org/ns/activitystreams#Service"] == actor.iri
