"""Handles and what they lead to."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.parity.listing import differs
from tests.parity.subject import PASSWORD, Subject

TAKEN = (400, "InvalidRequest")
HANDLE = (400, "InvalidHandle")


def _resolved(server: Subject, handle: str) -> str:
    did: str = server.anyone.get("identity.resolveHandle", handle=handle)["did"]
    return did


def a_handle_leads_to_its_did(server: Subject) -> None:
    alice = server.member()
    assert _resolved(server, alice.handle) == alice.did


def a_handle_leads_to_its_did_in_capitals_too(server: Subject) -> None:
    alice = server.member()
    assert _resolved(server, alice.handle.upper()) == alice.did


def a_handle_that_nobody_has_leads_nowhere(server: Subject) -> None:
    handle = f"{server.free_name()}.test"
    refusal = server.anyone.get_refused("identity.resolveHandle", handle=handle)
    assert refusal[0] == 400


def a_handle_that_is_none_is_refused(server: Subject) -> None:
    refusal = server.anyone.get_refused("identity.resolveHandle", handle="not a handle")
    assert refusal[0] == 400


def a_missing_handle_is_refused(server: Subject) -> None:
    assert server.anyone.get_refused("identity.resolveHandle") == (400, "InvalidRequest")


def a_well_known_address_leads_to_the_did(server: Subject) -> None:
    alice = server.member()
    answer = server.http.get("/.well-known/atproto-did", headers={"host": alice.handle})
    assert (answer.status_code, answer.text) == (200, alice.did)
    assert answer.headers["content-type"].startswith("text/plain")


def a_well_known_address_of_nobody_is_not_found(server: Subject) -> None:
    answer = server.http.get("/.well-known/atproto-did", headers={"host": "nobody-here.test"})
    assert answer.status_code == 404


def the_servers_own_well_known_address_is_nobodys(server: Subject) -> None:
    answer = server.http.get(
        "/.well-known/atproto-did", headers={"host": urlsplit(server.url).netloc}
    )
    assert answer.status_code == 404


def a_member_may_take_another_handle(server: Subject) -> None:
    alice = server.member()
    handle = f"{server.free_name()}.test"
    alice.post("identity.updateHandle", handle=handle)
    assert _resolved(server, handle) == alice.did
    assert alice.get("server.getSession")["handle"] == handle


def the_old_handle_leads_nowhere(server: Subject) -> None:
    alice = server.member()
    alice.post("identity.updateHandle", handle=f"{server.free_name()}.test")
    assert server.anyone.get_refused("identity.resolveHandle", handle=alice.handle)[0] == 400


def the_old_handle_is_free_for_others(server: Subject) -> None:
    alice = server.member()
    alice.post("identity.updateHandle", handle=f"{server.free_name()}.test")
    bob = server.member()
    bob.post("identity.updateHandle", handle=alice.handle)
    assert _resolved(server, alice.handle) == bob.did


def a_new_handle_is_in_the_directory(server: Subject) -> None:
    alice = server.member()
    handle = f"{server.free_name()}.test"
    alice.post("identity.updateHandle", handle=handle)
    assert server.registered(alice.did)["alsoKnownAs"][0] == f"at://{handle}"


def a_new_handle_keeps_key_and_service(server: Subject) -> None:
    alice = server.member()
    before = server.registered(alice.did)
    alice.post("identity.updateHandle", handle=f"{server.free_name()}.test")
    after = server.registered(alice.did)
    for part in ("verificationMethods", "rotationKeys", "services"):
        assert after[part] == before[part]


def a_member_signs_in_with_the_new_handle(server: Subject) -> None:
    alice = server.member()
    handle = f"{server.free_name()}.test"
    alice.post("identity.updateHandle", handle=handle)
    session = server.anyone.post("server.createSession", identifier=handle, password=PASSWORD)
    assert (session["did"], session["handle"]) == (alice.did, handle)


def a_handle_that_another_has_is_refused(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    assert bob.post_refused("identity.updateHandle", handle=alice.handle)[0] == 400
    assert _resolved(server, alice.handle) == alice.did


def a_handle_that_another_has_is_refused_in_capitals_too(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    assert bob.post_refused("identity.updateHandle", handle=alice.handle.upper())[0] == 400


def a_refused_handle_leaves_the_directory_as_it_was(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    before = server.registered(bob.did)
    bob.post_refused("identity.updateHandle", handle=alice.handle)
    assert server.registered(bob.did) == before


def the_same_handle_again_changes_nothing(server: Subject) -> None:
    alice = server.member()
    alice.post("identity.updateHandle", handle=alice.handle)
    assert _resolved(server, alice.handle) == alice.did


def a_handle_that_does_not_lead_to_the_did_is_refused(server: Subject) -> None:
    alice = server.member()
    refusal = alice.post_refused("identity.updateHandle", handle="nowhere.local")
    assert refusal == HANDLE


def a_malformed_handle_is_refused(server: Subject) -> None:
    alice = server.member()
    assert alice.post_refused("identity.updateHandle", handle="not a handle")[0] == 400


def a_handle_with_two_labels_under_the_domain_is_refused(server: Subject) -> None:
    alice = server.member()
    assert alice.post_refused("identity.updateHandle", handle="a.lice.test") == HANDLE


def a_handle_too_short_is_refused(server: Subject) -> None:
    alice = server.member()
    assert alice.post_refused("identity.updateHandle", handle="al.test") == HANDLE


def a_handle_too_long_is_refused(server: Subject) -> None:
    alice = server.member()
    assert alice.post_refused("identity.updateHandle", handle=f"{'a' * 19}.test") == HANDLE


def a_reserved_handle_is_refused_in_a_change(server: Subject) -> None:
    alice = server.member()
    refusal = alice.post_refused("identity.updateHandle", handle="about.test")
    assert refusal == (400, "HandleNotAvailable")


def a_body_without_a_handle_is_refused(server: Subject) -> None:
    alice = server.member()
    assert alice.post_refused("identity.updateHandle", name="x") == (400, "InvalidRequest")


def nobody_changes_a_handle_without_signing_in(server: Subject) -> None:
    refusal = server.anyone.post_refused("identity.updateHandle", handle="alice.test")
    assert refusal == (401, "AuthMissing")


def a_repo_is_described_with_the_new_handle(server: Subject) -> None:
    alice = server.member()
    handle = f"{server.free_name()}.test"
    alice.post("identity.updateHandle", handle=handle)
    assert server.anyone.get("repo.describeRepo", repo=alice.did)["handle"] == handle


def credentials_are_recommended_as_they_are_registered(server: Subject) -> None:
    alice = server.member()
    told, kept = alice.get("identity.getRecommendedDidCredentials"), server.registered(alice.did)
    assert told["verificationMethods"] == {"atproto": kept["verificationMethods"]["atproto"]}
    assert told["rotationKeys"] == kept["rotationKeys"]
    assert told["services"]["atproto_pds"] == kept["services"]["atproto_pds"]


def credentials_are_recommended_with_the_handle(server: Subject) -> None:
    alice = server.member()
    told = alice.get("identity.getRecommendedDidCredentials")
    assert f"at://{alice.handle}" in told["alsoKnownAs"]


def nobody_is_recommended_credentials_without_signing_in(server: Subject) -> None:
    refusal = server.anyone.get_refused("identity.getRecommendedDidCredentials")
    assert refusal == (401, "AuthMissing")


@differs("Resolving a whole identity is a lexicon of its own that the reference does not serve.")
def an_identity_is_resolved_both_ways(server: Subject) -> None:
    alice = server.member()
    told = server.anyone.get("identity.resolveIdentity", identifier=alice.handle)
    assert (told["did"], told["handle"]) == (alice.did, alice.handle)
    assert told["didDoc"]["id"] == alice.did
