"""Operations of the DID, asked for by mail."""

from __future__ import annotations

import copy

from tests.parity.subject import Account, Json, Subject

BAD = (400, "InvalidRequest")
RECOVERY = "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"


def _code(alice: Account) -> str:
    alice.post("identity.requestPlcOperationSignature")
    return alice.server.mail.code_for(alice.email)


def _signed(alice: Account, **changes: object) -> Json:
    answer = alice.post("identity.signPlcOperation", token=_code(alice), **changes)
    operation: Json = answer["operation"]
    return operation


def _with_recovery(alice: Account) -> list[str]:
    keys: list[str] = alice.server.registered(alice.did)["rotationKeys"]
    return [RECOVERY, *keys]


def _wrong(server: Subject, **changes: object) -> None:
    """An operation that the server signs as asked, and then does not hand on."""
    alice = server.member()
    before = server.registered(alice.did)
    operation = _signed(alice, **changes)
    assert alice.post_refused("identity.submitPlcOperation", operation=operation) == BAD
    assert server.registered(alice.did) == before


def a_code_is_sent_for_an_operation(server: Subject) -> None:
    assert len(_code(server.member())) == 11


def no_operation_is_signed_without_a_code(server: Subject) -> None:
    alice = server.member()
    keys = _with_recovery(alice)
    assert alice.post_refused("identity.signPlcOperation", rotationKeys=keys) == BAD


def no_operation_is_signed_with_a_wrong_code(server: Subject) -> None:
    alice = server.member()
    _code(alice)
    body = {"rotationKeys": _with_recovery(alice), "token": "AAAAA-BBBBB"}
    assert alice.post_refused("identity.signPlcOperation", **body) == (400, "InvalidToken")


def a_code_signs_one_operation(server: Subject) -> None:
    alice = server.member()
    body = {"rotationKeys": _with_recovery(alice), "token": _code(alice)}
    alice.post("identity.signPlcOperation", **body)
    assert alice.post_refused("identity.signPlcOperation", **body) == (400, "InvalidToken")


def a_signed_operation_has_what_was_asked_and_the_rest_as_it_was(server: Subject) -> None:
    alice = server.member()
    before, keys = server.registered(alice.did), _with_recovery(alice)
    operation = _signed(alice, rotationKeys=keys)
    assert operation["rotationKeys"] == keys
    assert operation["alsoKnownAs"] == before["alsoKnownAs"]
    assert operation["verificationMethods"] == before["verificationMethods"]
    assert operation["services"] == before["services"]
    assert operation["prev"]
    assert operation["sig"]


def a_signed_operation_is_handed_to_the_directory(server: Subject) -> None:
    alice = server.member()
    keys = _with_recovery(alice)
    alice.post("identity.submitPlcOperation", operation=_signed(alice, rotationKeys=keys))
    assert server.registered(alice.did)["rotationKeys"] == keys


def an_operation_is_told_as_identity(server: Subject) -> None:
    alice = server.member()
    operation = _signed(alice, rotationKeys=_with_recovery(alice))
    with server.events() as events:
        alice.post("identity.submitPlcOperation", operation=operation)
        event = events.of(alice.did, "#identity")[-1]
    assert event["did"] == alice.did


def an_operation_without_the_servers_key_is_refused(server: Subject) -> None:
    _wrong(server, rotationKeys=[RECOVERY])


def an_operation_with_another_signing_key_is_refused(server: Subject) -> None:
    _wrong(server, verificationMethods={"atproto": RECOVERY})


def an_operation_with_another_handle_is_refused(server: Subject) -> None:
    _wrong(server, alsoKnownAs=["at://other.test"])


def an_operation_with_another_server_is_refused(server: Subject) -> None:
    service = {"type": "AtprotoPersonalDataServer", "endpoint": "https://other.example"}
    _wrong(server, services={"atproto_pds": service})


def an_operation_with_another_kind_of_service_is_refused(server: Subject) -> None:
    service = {"type": "SomethingElse", "endpoint": server.url}
    _wrong(server, services={"atproto_pds": service})


def an_operation_whose_signature_is_broken_is_refused(server: Subject) -> None:
    alice = server.member()
    operation = copy.deepcopy(_signed(alice, rotationKeys=_with_recovery(alice)))
    operation["sig"] = operation["sig"][:-4] + "AAAA"
    assert alice.post_refused("identity.submitPlcOperation", operation=operation)[0] >= 400
    assert server.registered(alice.did)["rotationKeys"] == _with_recovery(alice)[1:]


def something_that_is_no_operation_is_refused(server: Subject) -> None:
    alice = server.member()
    assert alice.post_refused("identity.submitPlcOperation", operation={"a": 1}) == BAD


def nobody_asks_for_a_signature_without_signing_in(server: Subject) -> None:
    refusal = server.anyone.post_refused("identity.requestPlcOperationSignature")
    assert refusal == (401, "AuthMissing")


def nobody_hands_in_an_operation_without_signing_in(server: Subject) -> None:
    refusal = server.anyone.post_refused("identity.submitPlcOperation", operation={})
    assert refusal == (401, "AuthMissing")
