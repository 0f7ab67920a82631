"""What scope values mean, and what they permit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod.errors import Forbidden
from pod.oauth.scope import (
    ACCOUNT_ACTIONS,
    ACCOUNT_ATTRIBUTES,
    REPO_ACTIONS,
    Account,
    Blob,
    Identity,
    Include,
    Permission,
    Repo,
    Rpc,
    Scopes,
    is_known,
    parse_scope,
)

POST = "app.bsky.feed.post"
LIKE = "app.bsky.feed.like"
AUD = "did:web:api.bsky.app#bsky_appview"


def one(collection: str, action: str) -> Repo:
    return Repo(frozenset({collection}), frozenset({action}))


def call(lxm: str, aud: str = AUD) -> Rpc:
    return Rpc(frozenset({lxm}), aud)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("repo:*", Repo(frozenset({"*"}))),
        (f"repo:{POST}", Repo(frozenset({POST}))),
        (f"repo:{POST}?action=create", one(POST, "create")),
        (
            f"repo?collection={POST}&collection={LIKE}&action=create&action=delete",
            Repo(frozenset({POST, LIKE}), frozenset({"create", "delete"})),
        ),
        (f"rpc:{POST}?aud=*", call(POST, "*")),
        (f"rpc:*?aud={AUD.replace('#', '%23')}", call("*")),
        ("blob:*/*", Blob(frozenset({"*/*"}))),
        ("blob:image/png", Blob(frozenset({"image/png"}))),
        ("blob?accept=image/*&accept=image/png", Blob(frozenset({"image/*"}))),
        ("account:email", Account("email")),
        ("account:repo?action=manage", Account("repo", frozenset({"manage"}))),
        ("identity:*", Identity("*")),
        ("identity:handle", Identity("handle")),
        ("include:com.example.auth", Include("com.example.auth")),
        (
            f"include:com.example.auth?aud={AUD.replace('#', '%23')}",
            Include("com.example.auth", AUD),
        ),
    ],
)
def test_a_scope_means_a_permission(text: str, meaning: Permission | Include) -> None:
    assert parse_scope(text) == meaning
    assert is_known(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "repo",
        "repo:",
        "repo:notansid",
        f"repo:{POST}?action=destroy",
        f"repo:{POST}?action=",
        f"repo:{POST}?collection={LIKE}",
        f"repo:{POST}?extra=1",
        "rpc:*?aud=*",
        f"rpc:{POST}",
        f"rpc:{POST}?aud=did:web:example.com",
        f"rpc:{POST}?aud=*&aud=*",
        f"rpc?lxm={POST}&lxm=*&aud=*",
        "blob:image",
        "blob:*/png",
        "account:password",
        "account:email?action=delete",
        "account?attr=email&attr=repo",
        "identity:did",
        "identity:handle?action=manage",
        "include:one",
        "include:com.example.auth?aud=*",
        "openid",
        "transition:everything",
        "REPO:*",
    ],
)
def test_a_scope_that_is_not_whole_means_nothing(text: str) -> None:
    assert parse_scope(text) is None
    assert not is_known(text)


NAMES = st.sampled_from([POST, LIKE, "com.example.thing", "a.b.c"])
PERMISSIONS = st.one_of(
    st.builds(
        Repo,
        st.frozensets(NAMES, min_size=1) | st.just(frozenset({"*"})),
        st.frozensets(st.sampled_from(REPO_ACTIONS), min_size=1),
    ),
    st.builds(Rpc, st.frozensets(NAMES, min_size=1), st.sampled_from([AUD, "*"])),
    st.builds(Blob, st.frozensets(st.sampled_from(["image/*", "video/mp4", "a/b+c"]), min_size=1)),
    st.builds(
        Account,
        st.sampled_from(ACCOUNT_ATTRIBUTES),
        st.frozensets(st.sampled_from(ACCOUNT_ACTIONS), min_size=1),
    ),
    st.builds(Identity, st.sampled_from(["handle", "*"])),
)


@given(PERMISSIONS)
def test_a_permission_is_written_so_that_it_reads_back_the_same(permission: Permission) -> None:
    assert " " not in str(permission)
    assert parse_scope(str(permission)) == permission


@given(PERMISSIONS, PERMISSIONS, PERMISSIONS)
def test_more_scopes_never_permit_less(a: Permission, b: Permission, needed: Permission) -> None:
    if Scopes(str(a)).permits(needed):
        assert Scopes(f"{b} {a}").permits(needed)


@given(PERMISSIONS)
def test_without_scopes_nothing_is_permitted(needed: Permission) -> None:
    assert not Scopes("atproto").permits(needed)


def test_a_write_needs_its_collection_and_its_action() -> None:
    scopes = Scopes(f"atproto repo:{POST}?action=create")
    assert scopes.permits(one(POST, "create"))
    assert not scopes.permits(one(POST, "delete"))
    assert not scopes.permits(one(LIKE, "create"))
    assert not scopes.permits(Blob(frozenset({"image/png"})))
    assert Scopes("repo:*").permits(one(LIKE, "delete"))


def test_a_call_needs_its_method_and_its_service() -> None:
    scopes = Scopes(f"rpc:{POST}?aud={AUD.replace('#', '%23')} rpc:{LIKE}?aud=*")
    assert scopes.permits(call(POST))
    assert not scopes.permits(call(POST, "did:web:other.example#bsky_appview"))
    assert scopes.permits(call(LIKE, "did:web:other.example#x"))
    assert not scopes.permits(call("*"))


def test_an_upload_needs_its_media_type() -> None:
    scopes = Scopes("blob:image/*")
    assert scopes.permits(Blob(frozenset({"image/png"})))
    for mime in ("video/mp4", "image/*", "image", "imagex/png", ""):
        assert not scopes.permits(Blob(frozenset({mime})))


def test_to_manage_is_also_to_read() -> None:
    scopes = Scopes("account:email?action=manage")
    assert scopes.permits(Account("email"))
    assert not scopes.permits(Account("repo"))
    assert not Scopes("account:email").permits(Account("email", frozenset({"manage"})))


def test_transition_scopes_stand_for_what_app_passwords_could_do() -> None:
    generic = Scopes("atproto transition:generic")
    assert generic.permits(one(POST, "delete"))
    assert generic.permits(Blob(frozenset({"video/mp4"})))
    assert generic.permits(call(POST))
    assert generic.permits(call("*"))
    assert not generic.permits(call("chat.bsky.convo.getLog"))
    assert not generic.permits(Account("email"))
    assert not generic.permits(Identity("handle"))
    assert Scopes("transition:chat.bsky").permits(call("chat.bsky.convo.getLog"))
    assert not Scopes("transition:chat.bsky").permits(call(POST))
    assert Scopes("transition:email").permits(Account("email"))
    assert not Scopes("transition:email").permits(Account("email", frozenset({"manage"})))


def test_a_refusal_names_the_scope_that_is_missing() -> None:
    with pytest.raises(Forbidden) as refused:
        Scopes("atproto").require(one(LIKE, "create"))
    assert refused.value.name == "ScopeMissingError"
    assert refused.value.safe_text == f'Missing required scope "repo:{LIKE}?action=create"'


def test_an_included_set_permits_nothing_until_it_is_opened() -> None:
    assert not Scopes("include:app.bsky.authFullApp").permits(one(POST, "create"))
