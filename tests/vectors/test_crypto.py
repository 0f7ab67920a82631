"""The ATProto crypto vectors: signatures and did:key encodings."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from multiformats import multibase

from pod.keys.curves import Curve, SigningKey, parse_did_key, parse_multibase_key, verify

SUITES = {
    "EcdsaSecp256r1VerificationKey2019": Curve.P256,
    "EcdsaSecp256k1VerificationKey2019": Curve.K256,
}


def _load(shared: Path, name: str) -> list[dict[str, object]]:
    text = (shared / "vectors/atproto-interop/crypto" / name).read_text()
    return list(json.loads(text))


def test_signature_fixtures(shared: Path) -> None:
    fixtures = _load(shared, "signature-fixtures.json")
    for case in fixtures:
        did_key = str(case["publicKeyDid"])
        message = base64.b64decode(str(case["messageBase64"]) + "==")
        signature = base64.b64decode(str(case["signatureBase64"]) + "==")
        assert verify(did_key, message, signature) is case["validSignature"], case["comment"]
        bare = parse_multibase_key(
            str(case["publicKeyMultibase"]), SUITES[str(case["didDocSuite"])]
        )
        assert bare == parse_did_key(did_key)
    assert len(fixtures) >= 6


def test_did_key_fixtures(shared: Path) -> None:
    for case in _load(shared, "w3c_didkey_K256.json"):
        key = SigningKey.from_bytes(bytes.fromhex(str(case["privateKeyBytesHex"])))
        assert key.did_key == case["publicDidKey"]
    for case in _load(shared, "w3c_didkey_P256.json"):
        secret = bytes(multibase.decode("z" + str(case["privateKeyBytesBase58"])))
        assert SigningKey.from_bytes(secret, Curve.P256).did_key == case["publicDidKey"]
