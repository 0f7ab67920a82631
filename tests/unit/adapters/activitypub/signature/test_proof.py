"""Proofs inside activities: what we prove holds, and no change, other key or other time does."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from adapters.activitypub.signature.proof import LIFETIME, is_proven, prove
from adapters.activitypub.signature.verify import ActorKey, public_key
from pod.errors import Unauthenticated
from pod.keys import multibase
from pod.keys.ed25519 import Ed25519Key
from pod.keys.rsa import RsaKey
from pod.model.ids import Iri

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BOB = Iri("https://peer.test/users/bob")
METHOD = f"{BOB}#ed25519-key"
KEY = Ed25519Key.generate()
AS2 = "https://www.w3.org/ns/activitystreams"
CREATE: dict[str, Any] = {
    "@context": AS2,
    "id": f"{BOB}/creates/1",
    "type": "Create",
    "actor": BOB,
    "object": {"id": f"{BOB}/notes/1", "type": "Note", "content": "h\u00e9llo", "n": 1.5},
}


class Keys:
    """Knows one key."""

    def __init__(self, key: Ed25519Key | RsaKey = KEY, owner: Iri = BOB) -> None:
        self._owner = owner
        if isinstance(key, RsaKey):
            self._public: Any = public_key(key.public_pem)
        else:
            self._public = Ed25519PublicKey.from_public_bytes(multibase.decode(key.multikey)[2:])

    async def actor_key(self, key_id: str, *, fresh: bool) -> ActorKey:
        if key_id != METHOD or fresh:
            raise Unauthenticated
        return ActorKey(key_id, self._owner, self._public, NOW)


def holds(document: dict[str, Any], keys: Keys | None = None, now: datetime = NOW) -> bool:
    return asyncio.run(is_proven(document, BOB, keys or Keys(), now))


def test_what_we_prove_holds() -> None:
    assert holds(prove(CREATE, KEY, METHOD, NOW))
    assert not holds(CREATE)


@given(
    st.sampled_from(["content", "id", "n", "new"]),
    st.text(st.characters(exclude_categories=["Cs"])) | st.integers(0, 9),
)
def test_any_change_breaks_the_proof(name: str, value: Any) -> None:
    proven = prove(CREATE, KEY, METHOD, NOW)
    changed = deepcopy(proven)
    changed["object"][name] = value
    assert holds(changed) == (changed == proven)


CHANGES: dict[str, Any] = {
    "type": "Other", "cryptosuite": "eddsa-rdfc-2022", "proofPurpose": "authentication",
    "created": "2026-11-24T12:00:01Z", "verificationMethod": "https://peer.test/users/eve#key",
    "expires": "2020-01-01T00:00:00Z", "@context": [AS2], "proofValue": "z3", "more": 1,
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_proof_does_not_hold(name: str) -> None:
    proven = prove(CREATE, KEY, METHOD, NOW)
    proven["proof"][name] = CHANGES[name]
    assert not holds(proven)


def test_a_proof_without_its_context_counts_with_that_of_the_document() -> None:
    proven = prove(CREATE, KEY, METHOD, NOW)
    del proven["proof"]["@context"]
    assert holds(proven)


def test_a_proof_counts_only_by_the_actors_own_ed25519_key() -> None:
    proven = prove(CREATE, KEY, METHOD, NOW)
    assert not holds(proven, Keys(Ed25519Key.generate()))
    assert not holds(proven, Keys(RsaKey.generate()))
    assert not holds(proven, Keys(owner=Iri("https://peer.test/users/eve")))
    elsewhere = prove(CREATE, KEY, "https://evil.test/key", NOW)
    assert not holds(elsewhere)


def test_a_proof_is_of_these_days() -> None:
    proven = prove(CREATE, KEY, METHOD, NOW)
    assert holds(proven, now=NOW + LIFETIME)
    assert not holds(proven, now=NOW + LIFETIME + timedelta(seconds=1))
    assert not holds(proven, now=NOW - timedelta(hours=2))
