"""Service tokens verify with an independent library and carry what the receiver checks."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode

import pytest

from adapters.atproto.proxy import is_privileged, is_protected
from adapters.atproto.service_jwt import service_jwt
from pod.keys.curves import SigningKey, verify
from pod.model.ids import Did

ALICE = Did("did:plc:ewvi7nxzyoun6zhxrhs64oiz")
KEYS = [SigningKey.generate_k256(), SigningKey.generate_p256()]


def parts(token: str) -> tuple[dict, dict, bytes, bytes]:
    head, payload, signature = (text + "==" for text in token.split("."))
    signed = token.rpartition(".")[0].encode()
    return (
        json.loads(urlsafe_b64decode(head)),
        json.loads(urlsafe_b64decode(payload)),
        signed,
        urlsafe_b64decode(signature),
    )


@pytest.mark.parametrize("key", KEYS, ids=["k256", "p256"])
def test_a_service_token_is_signed_with_the_key_of_the_did_document(key):
    token = service_jwt(key, issuer=ALICE, audience="did:web:a.example", now_s=1000, lxm="a.b.c")
    head, claims, signed, signature = parts(token)
    assert verify(key.did_key, signed, signature)
    assert head == {"typ": "JWT", "alg": key.jwt_alg}
    assert len(claims.pop("jti")) == 32
    assert claims == {
        "iat": 1000,
        "iss": ALICE,
        "aud": "did:web:a.example",
        "exp": 1060,
        "lxm": "a.b.c",
    }


def test_a_token_for_any_method_has_no_lxm():
    token = service_jwt(KEYS[0], issuer=ALICE, audience="did:web:a.example", now_s=0, lxm=None)
    assert "lxm" not in parts(token)[1]


def test_methods_about_the_account_are_protected_in_any_case():
    assert is_protected("com.atproto.server.getSession")
    assert is_protected("com.atproto.server.GETSESSION")
    assert not is_protected("app.bsky.feed.getTimeline")


def test_chat_is_closed_to_plain_app_passwords():
    assert is_privileged("chat.bsky.convo.sendMessage")
    assert not is_privileged("app.bsky.feed.getTimeline")
