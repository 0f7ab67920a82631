"""The authorisation endpoint in a browser: who may see it, what it asks, where it sends people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.surfer import ORIGIN, Surfer, Visitor, visitor
from tests.kit.whole import PASSWORD, Town, Whole

AUTHORIZE = "/oauth/authorize"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(tmp_path_factory.mktemp("pages"))
    for name in ("alice", "bob", "carol"):
        town.run(town.whole.join(name))
    yield town
    town.close()


def test_the_pages_are_sealed_against_frames_scripts_and_caches(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = Visitor(whole)
        page = await app.surfer.get(await app.begin())
        assert page.status == 200
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self' http://127.0.0.1:18080" in policy
        assert "script-src" not in policy
        assert "<script" not in app.surfer.text
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"
        cookie = page.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie

    town.run(story(town.whole))


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_dest": "iframe", "sec_fetch_mode": "navigate"},
        {"sec_fetch_dest": "empty", "sec_fetch_mode": "cors"},
        {"sec_fetch_dest": "image", "sec_fetch_mode": "no-cors"},
    ],
)
def test_only_people_who_come_to_a_page_see_it(town: Town, headers: dict[str, str]) -> None:
    async def story(whole: Whole) -> None:
        app = Visitor(whole)
        for target in (await app.begin(), "/account"):
            assert (await app.surfer.get(target, **headers)).status == 403

    town.run(story(town.whole))


def test_a_form_counts_only_from_its_own_page_and_browser(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = Visitor(whole)
        surfer = app.surfer
        await surfer.get(await app.begin())
        await surfer.sign_in()
        form = surfer.form(AUTHORIZE)
        fields = form.fields | {"decision": "allow"}
        for headers in (
            {"sec_fetch_site": "same-site"},
            {"sec_fetch_site": "cross-site"},
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": f"http://alice.{ORIGIN.removeprefix('http://')}"},
        ):
            assert (await surfer.post(AUTHORIZE, fields, **headers)).status == 403
        for token in ("", "0" * 64):
            forged = fields | {"form_token": token}
            assert (await surfer.post(AUTHORIZE, forged)).status == 403
        other = Surfer(whole)
        await other.get("/account")
        assert (await other.post(AUTHORIZE, fields)).status == 403
        good = await surfer.post(AUTHORIZE, fields, origin=ORIGIN, sec_fetch_site="same-origin")
        assert "code" in app.come_back(good)

    town.run(story(town.whole))


def test_signing_in_changes_the_cookie_so_that_a_planted_one_is_worth_nothing(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = Visitor(whole)
        await app.surfer.get(await app.begin())
        planted = app.surfer.cookie
        await app.surfer.sign_in()
        assert app.surfer.cookie != planted
        thief = Surfer(whole, planted)
        assert "Sign in" in (await thief.get("/account")).body.decode()

    town.run(story(town.whole))


@pytest.mark.parametrize("password", ["", "wrong", "correct horse ", "x" * 2_000])
@pytest.mark.parametrize("name", ["alice.test", "alice@mail.example", "nobody.test", "did:a:x"])
def test_a_wrong_password_and_an_unknown_name_are_told_alike(
    town: Town, name: str, password: str
) -> None:
    async def story(whole: Whole) -> None:
        app = Visitor(whole)
        await app.surfer.get(await app.begin())
        page = await app.surfer.sign_in(name, password)
        assert page.status == 401
        assert "That name and password do not match." in app.surfer.text
        assert "Cancel" in app.surfer.text

    town.run(story(town.whole))


@pytest.mark.parametrize("name", ["alice.test", "@alice.test", "ALICE.test", "Alice@mail.example"])
def test_a_member_signs_in_by_any_of_their_names(town: Town, name: str) -> None:
    async def story(whole: Whole) -> None:
        app = Visitor(whole)
        await app.surfer.get(await app.begin())
        await app.surfer.sign_in(name)
        assert "You are <strong>alice.test</strong>" in app.surfer.text

    town.run(story(town.whole))


def test_names_that_an_app_gives_itself_are_text(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = Visitor(whole)
        await app.surfer.get(await app.begin(login_hint="alice.test", state="<script>"))
        await app.surfer.sign_in('"><script>alert(1)</script>', "x")
        assert "<script" not in app.surfer.text
        assert "&lt;script&gt;" in app.surfer.text

    town.run(story(town.whole))


def test_a_member_says_no_before_or_after_signing_in(town: Town) -> None:
    async def story(whole: Whole) -> None:
        for signs_in in (False, True):
            app = Visitor(whole)
            await app.surfer.get(await app.begin(response_mode="fragment"))
            if signs_in:
                await app.surfer.sign_in()
            back = app.come_back(await app.surfer.fill_in(AUTHORIZE, decision="deny"))
            assert (back["error"], back["state"], back["iss"]) == ("access_denied", "s1", ORIGIN)
            again = await app.surfer.get(f"{AUTHORIZE}?client_id=x&request_uri=y")
            assert again.status == 400

    town.run(story(town.whole))


def test_the_answer_goes_where_the_app_wanted_it(town: Town) -> None:
    async def story(whole: Whole) -> None:
        for mode, mark in (("fragment", "#"), ("query", "?"), (None, "?")):
            app = Visitor(whole)
            await app.surfer.get(await app.begin(response_mode=mode))
            await app.surfer.sign_in()
            reply = await app.surfer.fill_in(AUTHORIZE, decision="allow")
            assert f"/cb{mark}code=" in reply.headers["location"]

    town.run(story(town.whole))


@pytest.mark.parametrize("query", ["", "client_id=x", "client_id=http://localhost&request_uri=z"])
def test_who_comes_without_a_pushed_request_is_told_so(town: Town, query: str) -> None:
    reply = town.run(town.whole.send("GET", f"{AUTHORIZE}?{query}"))
    assert reply.status == 400
    assert b"This sign-in cannot go on" in reply.body


def test_a_request_is_over_once_it_is_decided_or_another_browser_comes(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = Visitor(whole)
        url = await app.begin()
        await app.surfer.get(url)
        assert (await Surfer(whole).get(url)).status == 400
        await app.surfer.get(url)
        assert app.surfer.page is not None
        assert app.surfer.page.status == 400

    town.run(story(town.whole))


async def _signed_in(whole: Whole, *names: str) -> Visitor:
    app = Visitor(whole)
    for name in names:
        await app.surfer.get("/account?account=other")
        app.surfer.page = await app.surfer.get("/account")
        if 'action="/account/sign-in"' not in app.surfer.text:
            await app.surfer.get((await app.begin()) + "&account=other")
        await app.surfer.sign_in(f"{name}.test")
    return app


def test_who_is_signed_in_is_asked_at_once_and_may_be_somebody_else(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = await _signed_in(whole, "alice")
        url = await app.begin()
        await app.surfer.get(url)
        assert "You are <strong>alice.test</strong>" in app.surfer.text
        await app.surfer.get(f"{url}&account=other")
        await app.surfer.sign_in("bob.test")
        assert "You are <strong>bob.test</strong>" in app.surfer.text

    town.run(story(town.whole))


def test_of_several_people_one_is_chosen_or_named(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = await _signed_in(whole, "alice", "bob")
        await app.surfer.get(await app.begin())
        assert "Choose an account" in app.surfer.text
        assert "alice.test" in app.surfer.text
        assert "bob.test" in app.surfer.text
        await app.surfer.get(await app.begin(login_hint="bob.test"))
        assert "You are <strong>bob.test</strong>" in app.surfer.text
        await app.surfer.get(await app.begin(login_hint="carol.test"))
        assert "Choose an account" in app.surfer.text

    town.run(story(town.whole))


def test_prompt_login_asks_for_the_password_again(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = visitor(whole)
        await app.surfer.get("/account")
        await app.surfer.sign_in()
        # A public client's prompt never skips the question, so "login" shows the password field.
        await app.surfer.get(await app.begin(prompt="login"))
        assert 'type="password"' in app.surfer.text
        await app.surfer.sign_in()
        assert "You are <strong>alice.test</strong>" in app.surfer.text

    town.run(story(town.whole))


def test_prompt_select_account_lets_choose_even_among_one(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = await _signed_in(whole, "alice")
        await app.surfer.get(await app.begin(prompt="select_account"))
        assert "Choose an account" in app.surfer.text

    town.run(story(town.whole))


def test_consent_is_asked_for_each_time_by_apps_that_prove_nothing(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = await _signed_in(whole, "alice")
        for _ in range(2):
            await app.surfer.get(await app.begin())
            assert "Authorize" in app.surfer.text
            app.come_back(await app.surfer.fill_in(AUTHORIZE, decision="allow"))
        more = "atproto repo:app.bsky.feed.post?action=delete blob:image/* account:email"
        other = visitor(whole, more + " transition:chat.bsky")
        other.surfer = app.surfer
        await app.surfer.get(await other.begin(scope=more + " transition:chat.bsky"))
        for words in (
            "Delete these public records",
            "Upload files (image/*)",
            "See your email address",
            "Read and send your direct messages",
        ):
            assert words in app.surfer.text

    town.run(story(town.whole))


def test_a_resting_account_is_sent_to_its_own_page(town: Town) -> None:
    async def story(whole: Whole) -> None:
        carol = await whole.call(
            "com.atproto.server.createSession",
            {"identifier": "carol.test", "password": PASSWORD},
        )
        rest: Any = await whole.send(
            "POST",
            "/xrpc/com.atproto.server.deactivateAccount",
            b"{}",
            token=carol.json["accessJwt"],
            headers={"content-type": "application/json"},
        )
        assert rest.status == 200
        app = Visitor(whole)
        await app.surfer.get(await app.begin())
        await app.surfer.sign_in("carol.test")
        assert "Your account is resting" in app.surfer.text
        await app.surfer.fill_in("/account/return")
        assert "Your account is back" in app.surfer.text

    town.run(story(town.whole))
