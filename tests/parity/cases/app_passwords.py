"""Passwords of single apps, with fewer rights."""

from __future__ import annotations

import re

from tests.parity.listing import differs
from tests.parity.subject import PROFILE, Account, Caller, Json, Subject, claims, post, rkey_of

BAD_SCOPE = (400, "InvalidToken")
PERSONAL = "app.bsky.actor.defs#personalDetailsPref"
AGE = "app.bsky.actor.defs#declaredAgePref"
GET, PUT = "app.bsky.actor.getPreferences", "app.bsky.actor.putPreferences"


def _password(alice: Account, name: str = "app", *, privileged: bool = False) -> str:
    made = alice.post("server.createAppPassword", name=name, privileged=privileged)
    password: str = made["password"]
    return password


def _app(alice: Account, *, privileged: bool = False) -> Account:
    return alice.sign_in(_password(alice, privileged=privileged))


def an_app_password_is_made_of_four_groups(server: Subject) -> None:
    password = _password(server.member())
    assert re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", password)


def an_app_password_tells_its_name(server: Subject) -> None:
    made = server.member().post("server.createAppPassword", name="phone")
    assert (made["name"], made["privileged"]) == ("phone", False)


def an_app_password_may_be_privileged(server: Subject) -> None:
    made = server.member().post("server.createAppPassword", name="chat", privileged=True)
    assert made["privileged"] is True


def a_second_password_of_the_same_name_is_refused(server: Subject) -> None:
    alice = server.member()
    _password(alice)
    assert alice.post_refused("server.createAppPassword", name="app")[0] >= 400


def a_password_without_a_name_is_refused(server: Subject) -> None:
    assert server.member().post_refused("server.createAppPassword", privileged=True)[0] == 400


def an_app_signs_in_with_its_password(server: Subject) -> None:
    alice = server.member()
    app = _app(alice)
    assert app.get("server.getSession")["did"] == alice.did


def the_token_of_an_app_tells_its_scope(server: Subject) -> None:
    assert claims(_app(server.member()).access)["scope"] == "com.atproto.appPass"


def the_token_of_a_privileged_app_tells_its_scope(server: Subject) -> None:
    app = _app(server.member(), privileged=True)
    assert claims(app.access)["scope"] == "com.atproto.appPassPrivileged"


def an_app_writes_and_deletes(server: Subject) -> None:
    app = _app(server.member())
    key = rkey_of(app.create())
    app.put("self", {"$type": PROFILE})
    app.delete(key)
    assert app.listed(PROFILE) == ["self"]


def an_app_uploads(server: Subject) -> None:
    assert _app(server.member()).upload(b"by an app", "text/plain")["size"] == 9


def an_app_makes_no_passwords(server: Subject) -> None:
    app = _app(server.member())
    assert app.post_refused("server.createAppPassword", name="more") == BAD_SCOPE


def a_privileged_app_makes_no_passwords_either(server: Subject) -> None:
    app = _app(server.member(), privileged=True)
    assert app.post_refused("server.createAppPassword", name="more") == BAD_SCOPE


@differs("An app takes no rights from other apps; the reference lets it revoke them.")
def an_app_revokes_no_passwords(server: Subject) -> None:
    app = _app(server.member())
    assert app.post_refused("server.revokeAppPassword", name="app") == BAD_SCOPE


def an_app_lets_no_account_rest(server: Subject) -> None:
    app = _app(server.member())
    when = "2030-01-01T00:00:00.000Z"
    assert app.post_refused("server.deactivateAccount", deleteAfter=when) == BAD_SCOPE


def an_app_deletes_no_account(server: Subject) -> None:
    assert _app(server.member()).post_refused("server.requestAccountDelete") == BAD_SCOPE


def an_app_imports_no_repo(server: Subject) -> None:
    app = _app(server.member())
    headers = {"content-type": "application/vnd.ipld.car"}
    answer = app.ask("POST", "repo.importRepo", content=b"x", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == BAD_SCOPE


def an_app_changes_no_mail_address(server: Subject) -> None:
    app = _app(server.member())
    assert app.post_refused("server.updateEmail", email="new@mail.test") == BAD_SCOPE


def an_app_signs_no_operation(server: Subject) -> None:
    app = _app(server.member())
    assert app.post_refused("identity.requestPlcOperationSignature") == BAD_SCOPE


def an_app_is_passed_on_to_the_appview(server: Subject) -> None:
    app = _app(server.member())
    assert app.get("app.bsky.feed.getPosts", uris="at://a")["method"] == "app.bsky.feed.getPosts"


def an_app_does_not_reach_the_chat(server: Subject) -> None:
    app = _app(server.member())
    headers = {"atproto-proxy": f"{server.upstream.did}#atproto_labeler"}
    answer = app.ask("GET", "chat.bsky.convo.listConvos", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == BAD_SCOPE


def a_privileged_app_reaches_the_chat(server: Subject) -> None:
    app = _app(server.member(), privileged=True)
    headers = {"atproto-proxy": f"{server.upstream.did}#atproto_labeler"}
    answer = app.ask("GET", "chat.bsky.convo.listConvos", headers=headers)
    assert answer.json()["method"] == "chat.bsky.convo.listConvos"


def an_app_gets_no_token_for_the_chat(server: Subject) -> None:
    app = _app(server.member())
    where = {"aud": "did:web:chat.example", "lxm": "chat.bsky.convo.getMessages"}
    assert app.get_refused("server.getServiceAuth", **where)[0] == 400


def an_app_gets_no_token_for_a_move(server: Subject) -> None:
    app = _app(server.member())
    where = {"aud": "did:web:pds.example", "lxm": "com.atproto.server.createAccount"}
    assert app.get_refused("server.getServiceAuth", **where)[0] == 400


def a_privileged_app_gets_a_token_for_the_chat(server: Subject) -> None:
    app = _app(server.member(), privileged=True)
    lxm = "chat.bsky.convo.getMessages"
    token = app.get("server.getServiceAuth", aud="did:web:chat.example", lxm=lxm)["token"]
    assert claims(token)["lxm"] == lxm


def an_app_keeps_its_scope_when_it_renews_its_session(server: Subject) -> None:
    app = _app(server.member())
    renewed = app.with_refresh().post("server.refreshSession")
    assert claims(renewed["accessJwt"])["scope"] == "com.atproto.appPass"
    caller = Caller(server, f"Bearer {renewed['accessJwt']}")
    assert caller.post_refused("server.createAppPassword", name="more") == BAD_SCOPE


def a_privileged_app_keeps_its_scope_when_it_renews_its_session(server: Subject) -> None:
    app = _app(server.member(), privileged=True)
    renewed = app.with_refresh().post("server.refreshSession")
    assert claims(renewed["accessJwt"])["scope"] == "com.atproto.appPassPrivileged"


def app_passwords_are_listed_without_the_words(server: Subject) -> None:
    alice = server.member()
    words = [_password(alice, "one"), _password(alice, "two", privileged=True)]
    answer = alice.ask("GET", "server.listAppPasswords")
    told = {each["name"]: each["privileged"] for each in answer.json()["passwords"]}
    assert told == {"one": False, "two": True}
    assert not any(word in answer.text for word in words)


def a_new_member_has_no_app_passwords(server: Subject) -> None:
    assert server.member().get("server.listAppPasswords") == {"passwords": []}


def a_revoked_password_is_listed_no_more(server: Subject) -> None:
    alice = server.member()
    _password(alice, "one")
    _password(alice, "two")
    alice.post("server.revokeAppPassword", name="one")
    told = alice.get("server.listAppPasswords")["passwords"]
    assert [each["name"] for each in told] == ["two"]


def a_revoked_password_opens_nothing(server: Subject) -> None:
    alice = server.member()
    word = _password(alice)
    alice.post("server.revokeAppPassword", name="app")
    body = {"identifier": alice.did, "password": word}
    refusal = server.anyone.post_refused("server.createSession", **body)
    assert refusal == (401, "AuthenticationRequired")


def a_revoked_password_renews_nothing(server: Subject) -> None:
    alice = server.member()
    app = _app(alice)
    alice.post("server.revokeAppPassword", name="app")
    refusal = app.with_refresh().post_refused("server.refreshSession")
    assert refusal == (400, "ExpiredToken")


def revoking_one_password_leaves_the_other(server: Subject) -> None:
    alice = server.member()
    _password(alice, "one")
    word = _password(alice, "two")
    alice.post("server.revokeAppPassword", name="one")
    assert alice.sign_in(word).did == alice.did


def revoking_a_password_leaves_the_members_own_session(server: Subject) -> None:
    alice = server.member()
    _password(alice)
    alice.post("server.revokeAppPassword", name="app")
    assert alice.with_refresh().post("server.refreshSession")["did"] == alice.did


def the_name_of_a_revoked_password_is_free_again(server: Subject) -> None:
    alice = server.member()
    _password(alice)
    alice.post("server.revokeAppPassword", name="app")
    assert _password(alice)


def an_app_does_not_read_personal_details(server: Subject) -> None:
    alice = server.member()
    alice.post(PUT, preferences=[_details()])
    told = [pref["$type"] for pref in _app(alice).get(GET)["preferences"]]
    assert PERSONAL not in told


def an_app_is_told_the_declared_age(server: Subject) -> None:
    alice = server.member()
    alice.post(PUT, preferences=[_details()])
    told = [pref for pref in _app(alice).get(GET)["preferences"] if pref["$type"] == AGE]
    assert told[0]["isOverAge18"] is True


def an_app_does_not_set_personal_details(server: Subject) -> None:
    app = _app(server.member())
    assert app.post_refused(PUT, preferences=[_details()]) == (400, "InvalidRequest")


def an_app_does_not_take_personal_details_away(server: Subject) -> None:
    alice = server.member()
    alice.post(PUT, preferences=[_details()])
    _app(alice).post(PUT, preferences=[])
    assert _details() in alice.get(GET)["preferences"]


def an_app_changes_the_handle(server: Subject) -> None:
    app = _app(server.member())
    handle = f"{server.free_name()}.test"
    app.post("identity.updateHandle", handle=handle)
    assert server.anyone.get("identity.resolveHandle", handle=handle)["did"] == app.did


def an_app_password_is_told_once(server: Subject) -> None:
    alice = server.member()
    word = _password(alice)
    assert word not in alice.ask("GET", "server.getSession").text
    assert alice.create(post(word))["uri"]


def _details() -> Json:
    return {"$type": PERSONAL, "birthDate": "1990-05-05T00:00:00.000Z"}
