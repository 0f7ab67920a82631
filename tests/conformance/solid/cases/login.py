"""Solid-OIDC: what the provider tells, tokens of programs, and how a pod checks what it is shown.

Spec: https://solid.github.io/solid-oidc/
"""

from __future__ import annotations

import httpx
from rdflib import URIRef

from tests.conformance.solid.listing import requires
from tests.conformance.solid.login import Proofs, Session, ask_token, configuration
from tests.conformance.solid.subject import SOLID, TURTLE, Agent, Subject, expect


def _session(pod: Subject) -> Session:
    sign = pod.alice.sign
    assert isinstance(sign, Session)
    sign.renewed()
    return sign


def _shown(pod: Subject, url: str, token: str, proof: str | None, status: int) -> None:
    """Read with a token and a proof as they are given."""
    headers = {"Authorization": f"DPoP {token}"} | ({"DPoP": proof} if proof else {})
    pod.ask("GET", url, by=Agent("", lambda _method, _url: headers)).says(status)


@requires("oidc", "clientids-oidc")
def apps_may_register_themselves(pod: Subject) -> None:
    endpoint = configuration(pod.issuer).get("registration_endpoint")
    expect(endpoint, "the configuration has no registration_endpoint")
    wish = {"redirect_uris": ["http://localhost:8080/back"], "client_name": "An app"}
    answer = httpx.post(str(endpoint), json=wish, timeout=30)
    expect(answer.status_code == 201, f"POST: {answer.status_code}, not 201")
    expect(answer.json().get("client_id"), "POST: no client_id")


@requires("oidc", "oidc-issuer-discovery")
def the_profile_names_the_issuer(pod: Subject) -> None:
    answer = pod.ask("GET", pod.alice.webid.partition("#")[0], by=None, Accept=TURTLE).says(200)
    named = set(answer.graph().objects(URIRef(pod.alice.webid), SOLID.oidcIssuer))
    expect(URIRef(pod.issuer) in named, f"GET: the profile names {len(named)} other issuers")


@requires("oidc", "oidc-issuer-discovery-link-headers")
def links_name_no_other_issuer(pod: Subject) -> None:
    answer = pod.ask("GET", pod.alice.webid.partition("#")[0], by=None, Accept=TURTLE).says(200)
    linked = {link.target for link in answer.links if link.rel == str(SOLID.oidcIssuer)}
    told = {str(each) for each in answer.graph().objects(None, SOLID.oidcIssuer)}
    expect(linked <= told, "GET: a Link names an issuer that the profile does not")


@requires("oidc", "authorization-response-iss")
def the_issuer_comes_with_every_code(pod: Subject) -> None:
    name = "authorization_response_iss_parameter_supported"
    expect(configuration(pod.issuer).get(name) is True, f"the configuration lacks {name}")


@requires("oidc", "resource-access-401")
def without_a_token_access_is_401(pod: Subject) -> None:
    url = pod.document()
    answer = pod.ask("GET", url, by=None).says(401)
    told = answer.headers.get("www-authenticate", "")
    expect("DPoP" in told or "Bearer" in told, "GET: WWW-Authenticate names no scheme")


@requires("oidc", "dpop-validation-proof")
def a_token_needs_its_proof(pod: Subject) -> None:
    url, session = pod.document(), _session(pod)
    _shown(pod, url, session.token, session.proofs.proof("GET", url), 200)
    _shown(pod, url, session.token, None, 401)
    _shown(pod, url, session.token, "nonsense", 401)


@requires("oidc", "dpop-validation-method")
def a_proof_is_for_one_method(pod: Subject) -> None:
    url, session = pod.document(), _session(pod)
    _shown(pod, url, session.token, session.proofs.proof("PUT", url), 401)


@requires("oidc", "dpop-validation-uri")
def a_proof_is_for_one_resource(pod: Subject) -> None:
    url, session = pod.document(), _session(pod)
    _shown(pod, url, session.token, session.proofs.proof("GET", f"{url}-other"), 401)


@requires("oidc", "dpop-validation-key")
def a_proof_is_by_the_key_of_the_token(pod: Subject) -> None:
    url, session, other = pod.document(), _session(pod), Proofs()
    _shown(pod, url, session.token, other.proof("GET", url), 401)
    _shown(pod, url, session.token, session.proofs.proof("GET", url, key=other.key), 401)


@requires("oidc", "dpop-validation-replay")
def a_proof_is_good_once_and_not_for_long(pod: Subject) -> None:
    url, session = pod.document(), _session(pod)
    proof = session.proofs.proof("GET", url)
    _shown(pod, url, session.token, proof, 200)
    _shown(pod, url, session.token, proof, 401)
    _shown(pod, url, session.token, session.proofs.proof("GET", url, iat=1_000_000_000), 401)


@requires("oidc", "id-token-validation")
def a_token_that_was_changed_is_refused(pod: Subject) -> None:
    url, session = pod.document(), _session(pod)
    head, claims, signature = session.token.split(".")
    for token in (
        f"{head}.{claims}.{signature[::-1]}",
        f"{head}.{claims[:-8]}AAAAAAAA.{signature}",
    ):
        _shown(pod, url, token, session.proofs.proof("GET", url), 401)


@requires("oidc", "discovery-webid-scope")
def the_webid_scope_is_told(pod: Subject) -> None:
    scopes = configuration(pod.issuer).get("scopes_supported", [])
    expect("webid" in scopes, "the configuration does not tell the scope webid")


@requires("oidc", "client-credentials")
def programs_sign_in_by_client_credentials(pod: Subject) -> None:
    session = _session(pod)
    answer = ask_token(pod.issuer, Proofs(), session.identifier, session.secret)
    expect(answer.status_code == 200, f"POST: {answer.status_code}, not 200")
    expect(answer.json()["token_type"].lower() == "dpop", "POST: the token is bound to no key")


@requires("oidc", "client-credentials-authentication")
def a_wrong_secret_gets_no_token(pod: Subject) -> None:
    session = _session(pod)
    for identifier, secret in ((session.identifier, "wrong"), ("nobody", session.secret)):
        answer = ask_token(pod.issuer, Proofs(), identifier, secret)
        expect(answer.status_code in (400, 401), f"POST: {answer.status_code}, not 401")


@requires("oidc", "client-credentials-advertised")
def the_grant_is_told(pod: Subject) -> None:
    grants = configuration(pod.issuer).get("grant_types_supported", [])
    expect("client_credentials" in grants, "the configuration does not tell client_credentials")


@requires("oidc", "uma-as-uri")
def a_refusal_names_the_authorisation_server(pod: Subject) -> None:
    told = pod.ask("GET", pod.document(), by=None).says(401).headers.get("www-authenticate", "")
    expect("as_uri=" in told, "GET: WWW-Authenticate has no as_uri")
