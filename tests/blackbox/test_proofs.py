"""Proofs inside activities: Fedify believes ours, and we believe Fedify's."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.activitypub.jsonld.context import ACTOR, MULTIKEY, NOTE, PUBLIC
from adapters.activitypub.signature.proof import is_proven, prove
from adapters.activitypub.signature.verify import ActorKey
from pod.keys import multibase
from pod.keys.ed25519 import Ed25519Key
from pod.model.ids import Iri
from tests.kit.node import Peer, peer

pytestmark = pytest.mark.peer
BOB = Iri("https://peer.test/users/bob")
METHOD = f"{BOB}#ed25519-key"
KEY = Ed25519Key.generate()
words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


def activity(text: str, context: Any = NOTE) -> dict[str, Any]:
    note = {"id": f"{BOB}/notes/1", "type": "Note", "content": text, "attributedTo": BOB}
    return {
        "@context": context, "id": f"{BOB}/creates/1", "type": "Create", "actor": BOB,
        "to": ["https://www.w3.org/ns/activitystreams#Public"], "object": note,
    }  # fmt: skip


@pytest.fixture(scope="module")
def fedify() -> Any:
    with peer("proofs.mjs") as running:
        yield running


def test_fedify_believes_our_proofs_and_no_changed_ones(fedify: Peer) -> None:
    key = {"@context": MULTIKEY, "id": METHOD, "type": "Multikey", "controller": BOB,
           "publicKeyMultibase": KEY.multikey}  # fmt: skip

    @settings(max_examples=10, deadline=None)
    @given(words, st.sampled_from([NOTE, ACTOR]))
    def tries(text: str, context: Any) -> None:
        proven = prove(activity(text, context), KEY, METHOD, datetime.now(UTC))
        assert fedify.ask("verify", document=proven, key=key)
        proven["object"]["content"] = text + "!"
        assert not fedify.ask("verify", document=proven, key=key)

    tries()


def test_we_believe_fedifys_proofs_and_no_changed_ones(fedify: Peer) -> None:
    listed = fedify.ask("multikey", id=METHOD, controller=BOB)
    raw = multibase.decode(listed["publicKeyMultibase"])[2:]

    class Keys:
        async def actor_key(self, key_id: str, *, fresh: bool) -> ActorKey:
            public = Ed25519PublicKey.from_public_bytes(raw)
            return ActorKey(key_id, BOB, public, datetime.now(UTC))

    def holds(document: dict[str, Any]) -> bool:
        return asyncio.run(is_proven(document, BOB, Keys(), datetime.now(UTC)))

    @settings(max_examples=10, deadline=None)
    @given(words)
    def tries(text: str) -> None:
        signed = fedify.ask("sign", document=activity(text), method=METHOD)
        assert signed["to"] == "as:Public"  # Fedify signs and sends the whole name
        signed["to"] = PUBLIC
        assert holds(signed)
        signed["id"] += "x"
        assert not holds(signed)

    tries()
