"""Tokens with which an app speaks to other services in the member's name."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode

from atproto_crypto.verify import verify_signature

from tests.parity.subject import Subject, claims

AUDIENCE = "did:web:feed.example"
GET = "server.getServiceAuth"
POSTS = "app.bsky.feed.getFeedSkeleton"
BAD = (400, "InvalidRequest")
EXPIRY = (400, "BadExpiration")


def a_token_names_member_audience_and_method(server: Subject) -> None:
    alice = server.member()
    told = claims(alice.get(GET, aud=AUDIENCE, lxm=POSTS)["token"])
    assert (told["iss"], told["aud"], told["lxm"]) == (alice.did, AUDIENCE, POSTS)


def a_token_lives_for_a_minute(server: Subject) -> None:
    told = claims(server.member().get(GET, aud=AUDIENCE, lxm=POSTS)["token"])
    assert told["exp"] - told["iat"] == 60


def each_token_has_an_id_of_its_own(server: Subject) -> None:
    alice = server.member()
    one, two = (claims(alice.get(GET, aud=AUDIENCE, lxm=POSTS)["token"]) for _ in range(2))
    assert one["jti"] != two["jti"]


def a_token_is_signed_by_the_key_of_the_did(server: Subject) -> None:
    alice = server.member()
    token = alice.get(GET, aud=AUDIENCE, lxm=POSTS)["token"]
    signed, _, signature = token.rpartition(".")
    key = server.registered(alice.did)["verificationMethods"]["atproto"]
    raw = urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    assert verify_signature(key, signed.encode(), raw)


def a_token_tells_its_algorithm(server: Subject) -> None:
    token = server.member().get(GET, aud=AUDIENCE, lxm=POSTS)["token"]
    head = token.partition(".")[0]
    told = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    assert (told["alg"], told["typ"]) == ("ES256K", "JWT")


def a_token_may_be_for_no_method(server: Subject) -> None:
    assert "lxm" not in claims(server.member().get(GET, aud=AUDIENCE)["token"])


def a_token_may_be_for_a_service_of_a_did(server: Subject) -> None:
    told = claims(server.member().get(GET, aud=f"{AUDIENCE}#bsky_fg", lxm=POSTS)["token"])
    assert told["aud"] == f"{AUDIENCE}#bsky_fg"


def a_token_may_live_for_an_hour_for_one_method(server: Subject) -> None:
    expires = int(time.time()) + 3500
    told = claims(server.member().get(GET, aud=AUDIENCE, lxm=POSTS, exp=expires)["token"])
    assert told["exp"] == expires


def a_token_lives_no_longer_than_an_hour(server: Subject) -> None:
    expires = int(time.time()) + 3700
    refusal = server.member().get_refused(GET, aud=AUDIENCE, lxm=POSTS, exp=expires)
    assert refusal == EXPIRY


def a_token_for_no_method_lives_no_longer_than_a_minute(server: Subject) -> None:
    expires = int(time.time()) + 120
    assert server.member().get_refused(GET, aud=AUDIENCE, exp=expires) == EXPIRY


def a_token_does_not_end_in_the_past(server: Subject) -> None:
    expires = int(time.time()) - 60
    assert server.member().get_refused(GET, aud=AUDIENCE, lxm=POSTS, exp=expires) == EXPIRY


def an_audience_that_is_no_did_is_refused(server: Subject) -> None:
    assert server.member().get_refused(GET, aud="feed.example", lxm=POSTS) == BAD


def an_audience_of_an_unknown_method_is_refused(server: Subject) -> None:
    assert server.member().get_refused(GET, aud="did:key:zQ3shtest", lxm=POSTS) == BAD


def an_audience_with_an_empty_service_is_refused(server: Subject) -> None:
    assert server.member().get_refused(GET, aud=f"{AUDIENCE}#", lxm=POSTS) == BAD


def an_audience_with_two_services_is_refused(server: Subject) -> None:
    assert server.member().get_refused(GET, aud=f"{AUDIENCE}#a#b", lxm=POSTS) == BAD


def a_missing_audience_is_refused(server: Subject) -> None:
    assert server.member().get_refused(GET, lxm=POSTS) == BAD


def a_method_that_is_no_nsid_is_refused(server: Subject) -> None:
    assert server.member().get_refused(GET, aud=AUDIENCE, lxm="nonsense") == BAD


def no_token_is_given_for_the_account_itself(server: Subject) -> None:
    alice = server.member()
    for method in (
        "com.atproto.server.createAppPassword",
        "com.atproto.identity.updateHandle",
        "com.atproto.server.deactivateAccount",
        "com.atproto.identity.signPlcOperation",
    ):
        assert alice.get_refused(GET, aud=AUDIENCE, lxm=method) == BAD


def a_token_is_given_for_a_move(server: Subject) -> None:
    method = "com.atproto.server.createAccount"
    assert claims(server.member().get(GET, aud=AUDIENCE, lxm=method)["token"])["lxm"] == method


def nobody_gets_a_token_without_signing_in(server: Subject) -> None:
    assert server.anyone.get_refused(GET, aud=AUDIENCE) == (401, "AuthMissing")
