"""Tokens of other issuers: every reason to refuse one, and what is asked of others how often."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from joserfc.jwk import ECKey

from adapters.solid.auth.issuers import Issuers
from adapters.solid.auth.tokens import SolidTokens
from pod.access.agent import Agent
from pod.errors import PeerUnavailable, Unauthenticated
from pod.keys.dpop import Proof, Proofs
from tests.kit.apps import App, b64, signed
from tests.kit.house import FrozenClock, Pod

ISSUER = "https://idp.example"
WEBID = "https://bob.example/profile#me"
URL = "https://alice.example/data/x"
PROFILE = f"<{WEBID}> <http://www.w3.org/ns/solid/terms#oidcIssuer> <{ISSUER}/>."


@dataclass
class Answer:
    url: str
    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Network:
    """Documents by address, and how often each was asked for."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "k1"})
        self.asked: list[str] = []
        self.documents: dict[str, tuple[str, str]] = {
            f"{ISSUER}/.well-known/openid-configuration": (
                "application/json",
                json.dumps({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}),
            ),
            "https://bob.example/profile": ("text/turtle", PROFILE),
        }
        self.publish(self.key)

    def publish(self, *keys: ECKey) -> None:
        told = {"keys": [key.as_dict(private=False) for key in keys]}
        self.documents[f"{ISSUER}/keys"] = ("application/json", json.dumps(told))

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, max_bytes: int | None = None
    ) -> Answer:
        self.asked.append(url)
        if url not in self.documents:
            raise PeerUnavailable
        media_type, text = self.documents[url]
        return Answer(url, 200, text.encode(), media_type)


class Home:
    """The authorisation server of the house, which has no tokens out."""

    def __init__(self, clock: FrozenClock) -> None:
        self.proofs = Proofs(b"s" * 32, clock)

    def solid(self, token: str, proof: str, method: str, url: str) -> Any:
        raise Unauthenticated(f"{method} {url}: {token} {proof}", name="invalid_token")

    def proof(self, proof: str, method: str, url: str, token: str) -> Proof:
        return self.proofs.check(proof, method, url, token, wants_nonce=False)


class Desk:
    """A pod that is shown tokens of an issuer elsewhere."""

    def __init__(self) -> None:
        pod = Pod()
        asyncio.run(pod.keyring.open())
        self.member = asyncio.run(pod.member())
        self.clock = pod.clock
        self.network = Network()
        self.app = App(pod.clock)
        issuers = Issuers(self.network, pod.clock, is_dev=False)
        self.tokens = SolidTokens(
            "https://pods.example", Home(pod.clock), pod.store, issuers, pod.clock
        )

    def token(
        self, key: ECKey | None = None, header: dict[str, Any] | None = None, **more: Any
    ) -> str:
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "webid": WEBID,
            "sub": WEBID,
            "aud": "solid",
            "azp": "https://app.example/id",
            "iat": now,
            "exp": now + 600,
            "cnf": {"jkt": self.app.jkt},
        } | more
        head = {"kid": "k1", "typ": "at+jwt"} | (header or {})
        kept = {name: value for name, value in claims.items() if value is not None}
        head = {name: value for name, value in head.items() if value is not None}
        return signed(key or self.network.key, head, kept)

    def shown(self, token: str, proof: str | None = None) -> Agent:
        made = proof or self.app.proof(URL, "GET", token)
        return asyncio.run(self.tokens.agent(token, made, "GET", URL))

    def refusal(self, token: str, proof: str | None = None) -> str:
        with pytest.raises(Unauthenticated) as refused:
            self.shown(token, proof)
        return str(refused.value.name)


def test_a_good_token_names_person_app_and_issuer() -> None:
    desk = Desk()
    agent = desk.shown(desk.token())
    assert (agent.iri, agent.client, agent.issuer) == (WEBID, "https://app.example/id", ISSUER)
    assert (agent.member, agent.reach, agent.is_authenticated) == (None, None, True)


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "https://other.example"},
        {"aud": ["other"]},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"exp": True},
        {"iat": 99_999_999_999},
        {"nbf": 99_999_999_999},
        {"webid": None},
        {"webid": "https://eve.example/#me"},
        {"webid": "http://bob.example/profile#me"},
        {"webid": 7},
        {"iss": "https://evil.example"},
        {"iss": "http://idp.example"},
        {"iss": None},
        {"cnf": None},
        {"cnf": {"jkt": 7}},
        {"at_hash": "x"},
        {"nonce": "x"},
    ],
)
def test_a_token_that_says_the_wrong_thing_is_refused(change: dict[str, Any]) -> None:
    desk = Desk()
    assert desk.refusal(desk.token(**change)) == "invalid_token"


def test_a_token_of_another_key_is_refused() -> None:
    desk = Desk()
    forger = ECKey.generate_key("P-256", {"kid": "k1"})
    assert desk.refusal(desk.token(forger)) == "invalid_token"
    assert desk.refusal(desk.token(header={"kid": "k2"})) == "invalid_token"
    assert desk.refusal(desk.token(header={"typ": "dpop+jwt"})) == "invalid_token"


@pytest.mark.parametrize("alg", ["none", "HS256", "ES256K1", None])
def test_an_algorithm_that_proves_nothing_is_refused(alg: str | None) -> None:
    desk = Desk()
    _, claims, _ = desk.token().split(".")
    head = b64(json.dumps({"alg": alg, "kid": "k1", "typ": "at+jwt"}).encode())
    assert desk.refusal(f"{head}.{claims}.") == "invalid_token"
    assert desk.refusal(f"{head}.{claims}.{b64(b'x' * 64)}") == "invalid_token"


@pytest.mark.parametrize("token", ["a.b.c", "..", "x.e30.y", "x.W10.y", "x." + "e" * 9000 + ".y"])
def test_what_is_no_token_is_refused(token: str) -> None:
    desk = Desk()
    assert desk.refusal(token) in ("invalid_token", "invalid_dpop_proof")


def test_a_webid_that_lives_here_is_vouched_for_by_nobody_else() -> None:
    desk = Desk()
    desk.network.documents[desk.member.webid] = (
        "text/turtle",
        PROFILE.replace(WEBID, desk.member.webid),
    )
    assert desk.refusal(desk.token(webid=desk.member.webid)) == "invalid_token"
    assert desk.network.asked == []


def test_the_issuer_of_a_webid_is_taken_from_its_own_document_only() -> None:
    desk = Desk()
    stranger = PROFILE.replace(WEBID, "https://bob.example/profile#you")
    for text in ("", stranger, PROFILE.replace(ISSUER, "https://other.example"), "not turtle <"):
        other = Desk()
        other.network.documents["https://bob.example/profile"] = ("text/turtle", text)
        assert other.refusal(other.token()) == "invalid_token"
    assert desk.shown(desk.token()).iri == WEBID


def test_an_issuer_that_says_it_is_another_is_refused() -> None:
    desk = Desk()
    told = {"issuer": "https://other.example", "jwks_uri": f"{ISSUER}/keys"}
    place = f"{ISSUER}/.well-known/openid-configuration"
    desk.network.documents[place] = ("application/json", json.dumps(told))
    assert desk.refusal(desk.token()) == "invalid_token"


@pytest.mark.parametrize(
    "change",
    [
        {"htm": "PUT"},
        {"htu": "https://alice.example/data/y"},
        {"ath": b64(b"x" * 32)},
        {"iat": 1},
        {"iat": None},
        {"jti": None},
        {"nonce": "made up"},
    ],
)
def test_a_proof_that_is_for_something_else_is_refused(change: dict[str, Any]) -> None:
    desk = Desk()
    token = desk.token()
    name = desk.refusal(token, desk.app.proof(URL, "GET", token, **change))
    assert name in ("invalid_dpop_proof", "use_dpop_nonce")


def test_a_proof_is_good_once_and_a_token_only_with_its_key() -> None:
    desk = Desk()
    token = desk.token()
    proof = desk.app.proof(URL, "GET", token)
    assert desk.shown(token, proof).iri == WEBID
    assert desk.refusal(token, proof) == "invalid_dpop_proof"
    thief = App(desk.clock)
    assert desk.refusal(token, thief.proof(URL, "GET", token)) == "invalid_dpop_proof"
    with pytest.raises(Unauthenticated):
        asyncio.run(desk.tokens.agent(token, None, "GET", URL))


def test_a_proof_from_before_the_start_is_asked_for_a_nonce() -> None:
    desk = Desk()
    token = desk.token()
    before = int(desk.clock.now().timestamp()) - 60
    assert desk.refusal(token, desk.app.proof(URL, "GET", token, iat=before)) == "use_dpop_nonce"


def test_keys_and_profiles_are_asked_for_once_and_again_when_they_are_old() -> None:
    desk = Desk()
    desk.shown(desk.token())
    asked = len(desk.network.asked)
    assert asked == 3
    desk.shown(desk.token(jti="another"))
    assert len(desk.network.asked) == asked
    desk.clock.pass_by(11 * 60)
    desk.shown(desk.token())
    assert len(desk.network.asked) == 2 * asked


def test_a_new_key_of_an_issuer_is_found_but_not_looked_for_all_the_time() -> None:
    desk = Desk()
    desk.shown(desk.token())
    new = ECKey.generate_key("P-256", {"kid": "k2"})
    desk.network.publish(desk.network.key, new)
    assert desk.refusal(desk.token(new, {"kid": "k2"})) == "invalid_token"
    desk.clock.pass_by(31)
    assert desk.shown(desk.token(new, {"kid": "k2"})).iri == WEBID
    asked = len(desk.network.asked)
    for _ in range(5):
        assert desk.refusal(desk.token(new, {"kid": "k3"})) == "invalid_token"
    assert len(desk.network.asked) == asked


def test_a_known_token_still_expires() -> None:
    desk = Desk()
    token = desk.token()
    desk.shown(token)
    desk.clock.pass_by(601)
    assert desk.refusal(token) == "invalid_token"
