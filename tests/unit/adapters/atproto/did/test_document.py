"""DID documents: ours are what others expect, theirs are read with patience."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters.atproto.did.document import (
    build_document,
    member_document,
    pds_service,
    read_document,
)
from pod.errors import Invalid
from pod.keys.curves import Curve, SigningKey
from pod.model.ids import Did
from tests.kit.members import a_member

MEMBER = replace(a_member(), did=Did("did:web:member1.example"))
KEYS = {curve: SigningKey.from_bytes(b"\7" * 32, curve) for curve in Curve}
PDS = "https://pods.example"


@pytest.mark.parametrize("curve", Curve)
def test_a_members_document_reads_back(curve: Curve) -> None:
    key = KEYS[curve]
    identity = read_document(MEMBER.did, member_document(MEMBER, key.did_key, PDS))
    assert identity.handle == MEMBER.handle
    assert identity.signing_key == key.did_key
    assert identity.pds == PDS
    assert identity.also_known_as == (f"at://{MEMBER.handle}", MEMBER.webid)


def test_a_members_document_is_in_the_usual_form() -> None:
    key = KEYS[Curve.K256]
    assert member_document(MEMBER, key.did_key, PDS) == {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/multikey/v1",
            "https://w3id.org/security/suites/secp256k1-2019/v1",
        ],
        "id": MEMBER.did,
        "alsoKnownAs": ["at://member1.test", "https://member1.example/me"],
        "verificationMethod": [
            {
                "id": f"{MEMBER.did}#atproto",
                "type": "Multikey",
                "controller": MEMBER.did,
                "publicKeyMultibase": key.multibase_key,
            }
        ],
        "service": [
            {
                "id": "#atproto_pds",
                "type": "AtprotoPersonalDataServer",
                "serviceEndpoint": PDS,
            }
        ],
    }


def test_keys_of_unknown_kinds_are_passed_on() -> None:
    strange = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
    document = build_document(
        MEMBER.did, also_known_as=[], verification_methods={"other": strange}, services={}
    )
    assert document["verificationMethod"][0]["publicKeyMultibase"] == strange[8:]
    assert len(document["@context"]) == 2
    assert read_document(MEMBER.did, document).signing_key is None


def test_relative_ids_and_older_key_suites_are_understood() -> None:
    fixture = "z25z9DTpsiYYJKGsWmSPJK2NFN8PcJtZig12K59UgW7q5t"
    document = {
        "id": MEMBER.did,
        "verificationMethod": [
            {
                "id": "#atproto",
                "type": "EcdsaSecp256k1VerificationKey2019",
                "publicKeyMultibase": fixture,
            }
        ],
        "service": [
            {
                "id": f"{MEMBER.did}#atproto_pds",
                "type": "AtprotoPersonalDataServer",
                "serviceEndpoint": PDS + "/",
            },
            {"id": "#bsky_appview", "type": "BskyAppView", "serviceEndpoint": "https://a.example"},
        ],
    }
    identity = read_document(MEMBER.did, document)
    assert identity.signing_key == "did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc"
    assert identity.pds == PDS
    assert identity.services["bsky_appview"] == "https://a.example"


@pytest.mark.parametrize("document", [None, [], "text", {}, {"id": "did:web:other.example"}])
def test_a_document_of_another_did_is_invalid(document: object) -> None:
    with pytest.raises(Invalid):
        read_document(MEMBER.did, document)


@pytest.mark.parametrize(
    "fields",
    [
        {"alsoKnownAs": "text", "verificationMethod": 1, "service": {}},
        {"alsoKnownAs": [1, "at://not a handle", "mailto:x"]},
        {"verificationMethod": [None, {}, {"id": 1}, {"id": "#atproto"}]},
        {"verificationMethod": [{"id": "#atproto", "publicKeyMultibase": "zjunk"}]},
        {"verificationMethod": [{"id": "did:web:evil.example#atproto", "type": "Multikey"}]},
        {"service": [{"id": "#atproto_pds", "type": "Other", "serviceEndpoint": PDS}]},
        {"service": [{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer"}]},
        {"service": [{**pds_service("ftp://x")["atproto_pds"], "id": "#atproto_pds"}]},
    ],
)
def test_parts_that_make_no_sense_are_left_out(fields: dict[str, Any]) -> None:
    identity = read_document(MEMBER.did, {"id": MEMBER.did, **fields})
    assert identity.handle is identity.signing_key is identity.pds is None
