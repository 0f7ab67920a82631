"""A member's own pages: what they change, what they ask for first, and who is signed out by it."""

from __future__ import annotations

import json
import re
from base64 import b32decode
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.atproto.did.plc import update
from pod.keys.keyring import KeyRing
from pod.keys.passkey import Site
from pod.keys.totp import STEP_S, _code
from pod.model.ids import Handle
from pod.oauth.request import hashed
from tests.kit.authenticator import told
from tests.kit.surfer import ORIGIN, Surfer, Visitor
from tests.kit.whole import PASSWORD, Town, Whole

SESSION = "/xrpc/com.atproto.server.getSession"


@pytest.fixture
def town(tmp_path: Path):
    town = Town(tmp_path)
    town.run(town.whole.join("alice"))
    town.run(town.whole.join("bob"))
    yield town
    town.close()


async def at_home(whole: Whole, name: str = "alice.test", password: str = PASSWORD) -> Surfer:
    surfer = Surfer(whole)
    await surfer.get("/account")
    await surfer.sign_in(name, password)
    assert "Your account" in surfer.text
    return surfer


async def log_in(whole: Whole, password: str = PASSWORD, code: str | None = None):
    given = {"identifier": "alice.test", "password": password}
    if code is not None:
        given["authFactorToken"] = code
    return await whole.call("com.atproto.server.createSession", given)


def test_nobody_sees_an_account_without_signing_in(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = Surfer(whole)
        await surfer.get("/account")
        assert "alice" not in surfer.text
        token = surfer.form("/account/sign-in").fields["form_token"]
        for act in ("sessions", "everywhere", "password", "handle", "rest", "codes", "return"):
            await surfer.post(f"/account/{act}", {"form_token": token})
            assert 'action="/account/sign-in"' in surfer.text
            assert (await surfer.post(f"/account/{act}", {})).status == 403

    town.run(story(town.whole))


def test_the_form_leads_nowhere_but_home(town: Town) -> None:
    async def story(whole: Whole) -> None:
        for onward in ("https://evil.example/", "//evil.example", "/oauth/authorizeX", "/plc/"):
            surfer = Surfer(whole)
            await surfer.get("/account")
            form = surfer.form("/account/sign-in")
            fields = form.fields | {"next": onward, "name": "alice.test", "password": PASSWORD}
            reply = await surfer.post(form.action, fields)
            assert reply.status == 303
            assert reply.headers["location"].startswith("/account?account=did")

    town.run(story(town.whole))


def test_a_member_ends_what_an_app_may_do(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = Visitor(whole)
        await app.be_let_in()
        surfer = app.surfer
        await surfer.get("/account")
        assert "an app on this device" in surfer.text
        await surfer.fill_in("/account/sessions")
        assert (await app.call("GET", SESSION)).status == 401
        assert "an app on this device" not in surfer.text

    town.run(story(town.whole))


def test_nobody_ends_the_session_of_somebody_else(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = Visitor(whole)
        await app.be_let_in()
        await app.surfer.get("/account")
        key = app.surfer.form("/account/sessions").fields["session"]
        bob = await at_home(whole, "bob.test")
        token = bob.form("/account/everywhere").fields["form_token"]
        await bob.post("/account/sessions", {"form_token": token, "session": key})
        assert (await app.call("GET", SESSION)).status == 200

    town.run(story(town.whole))


def test_a_new_password_signs_everybody_else_out(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app, elsewhere = Visitor(whole), await at_home(whole)
        await app.be_let_in()
        old = (await log_in(whole)).json
        surfer = await at_home(whole)
        await surfer.fill_in("/account/password", password="wrong", new="a new password")
        assert "do not match" in surfer.text
        await surfer.fill_in("/account/password", password=PASSWORD, new="short")
        assert "8 to 256 characters" in surfer.text
        await surfer.fill_in("/account/password", password=PASSWORD, new="a new password")
        assert "Your password is changed" in surfer.text
        assert (await log_in(whole)).status == 401
        assert (await log_in(whole, "a new password")).status == 200
        assert (await app.call("GET", SESSION)).status == 401
        assert "Sign in" in (await elsewhere.get("/account")).body.decode()
        assert "Your account" in (await surfer.get("/account")).body.decode()
        refresh = "/xrpc/com.atproto.server.refreshSession"
        assert (await whole.send("POST", refresh, token=old["refreshJwt"])).status == 400

    town.run(story(town.whole))


def test_an_app_password_is_shown_once_and_signs_in(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_home(whole)
        await surfer.fill_in("/account/app-passwords", name="phone", password="wrong")
        assert "do not match" in surfer.text
        await surfer.fill_in("/account/app-passwords", name="phone", password=PASSWORD)
        shown = re.search(r'<p class="secret">([a-z2-7-]{19})</p>', surfer.text)
        assert shown is not None
        assert (await log_in(whole, shown[1])).status == 200
        await surfer.get("/account")
        assert shown[1] not in surfer.text
        await surfer.fill_in("/account/app-passwords", name="phone", password=PASSWORD)
        assert "There is an app password of that name." in surfer.text
        await surfer.fill_in("/account/app-passwords/delete")
        assert (await log_in(whole, shown[1])).status == 401

    town.run(story(town.whole))


def test_a_handle_is_changed_and_a_taken_one_refused(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_home(whole)
        await surfer.fill_in("/account/handle", handle="bob.test")
        assert "Handle already taken" in surfer.text
        await surfer.fill_in("/account/handle", handle="alicia.test")
        assert "You are now alicia.test" in surfer.text

    town.run(story(town.whole))


def test_an_account_rests_and_wakes_up(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_home(whole)
        await surfer.fill_in("/account/rest", password="wrong")
        assert "do not match" in surfer.text
        await surfer.fill_in("/account/rest", password=PASSWORD)
        assert "Your account is resting" in surfer.text
        await surfer.fill_in("/account/return")
        assert "Your account is back" in surfer.text
        await surfer.fill_in("/account/sign-out")
        assert 'action="/account/sign-in"' in surfer.text

    town.run(story(town.whole))


def test_codes_are_asked_for_everywhere_once_they_are_on(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_home(whole)
        await surfer.fill_in("/account/codes", password=PASSWORD)
        shown = re.search(r'<p class="secret">([A-Z2-7]{32})</p>', surfer.text)
        assert shown is not None
        secret = b32decode(shown[1])
        step = int(datetime.now(UTC).timestamp()) // STEP_S
        await surfer.fill_in("/account/codes/confirm", code="000000")
        assert "That code is not right." in surfer.text
        await surfer.fill_in("/account/codes/confirm", code=_code(secret, step - 1))
        assert "From now on a code is asked for" in surfer.text

        other = Surfer(whole)
        await other.get("/account")
        await other.sign_in()
        assert "One more step" in other.text
        reused = await other.fill_in("/account/code", code=_code(secret, step - 1))
        assert reused.status == 401
        await other.fill_in("/account/code", code=_code(secret, step))
        assert "Your account" in other.text

        assert (await log_in(whole)).json["error"] == "AuthFactorTokenRequired"
        assert (await log_in(whole, code="12345")).status == 401
        assert (await log_in(whole, code=_code(secret, step + 1))).status == 200

        await surfer.fill_in("/account/codes/off", password=PASSWORD)
        assert "Codes are off." in surfer.text
        assert (await log_in(whole)).status == 200

    town.run(story(town.whole))


def test_a_ticket_is_for_one_browser(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_home(whole)
        await surfer.fill_in("/account/codes", password=PASSWORD)
        shown = re.search(r'<p class="secret">([A-Z2-7]{32})</p>', surfer.text)
        assert shown is not None
        secret = b32decode(shown[1])
        step = int(datetime.now(UTC).timestamp()) // STEP_S
        await surfer.fill_in("/account/codes/confirm", code=_code(secret, step - 1))
        thief, other = Surfer(whole), Surfer(whole)
        await thief.get("/account")
        token = thief.form("/account/sign-in").fields["form_token"]
        await other.get("/account")
        await other.sign_in()
        ticket = other.form("/account/code").fields["ticket"]
        code = _code(secret, step)
        fields = {"form_token": token, "ticket": ticket, "code": code}
        await thief.post("/account/code", fields)
        assert "Please start again." in thief.text

    town.run(story(town.whole))


def letter(whole: Whole) -> str:
    """The code in the letter that was sent last."""
    outbox = whole.house.settings.data_dir / "outbox"
    newest = max(outbox.iterdir(), key=lambda file: file.name)
    found = re.search(r"^    (\S{5}-\S{5})", newest.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def test_an_email_address_is_confirmed_and_then_changed_by_code_only(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_home(whole)
        await surfer.fill_in("/account/email", email="bob@mail.example", password=PASSWORD)
        assert "Email already taken" in surfer.text or "already" in surfer.text
        await surfer.fill_in("/account/email", email="ann@mail.example", password="wrong")
        assert "do not match" in surfer.text
        await surfer.fill_in("/account/email", email="ann@mail.example", password=PASSWORD)
        assert "Your email address is now ann@mail.example" in surfer.text
        await surfer.fill_in("/account/email/code")
        await surfer.fill_in("/account/email/confirm", code="AAAAA-AAAAA")
        assert "Token is invalid" in surfer.text
        await surfer.fill_in("/account/email/confirm", code=letter(whole).lower())
        assert "Your email address is confirmed." in surfer.text

        values = {"email": "anna@mail.example", "password": PASSWORD}
        await surfer.fill_in("/account/email", **values, code="AAAAA-AAAAA")
        assert "Token is invalid" in surfer.text
        await surfer.fill_in("/account/email/code")
        await surfer.fill_in("/account/email", **values, code=letter(whole))
        assert "Your email address is now anna@mail.example" in surfer.text

    town.run(story(town.whole))


def test_an_account_is_deleted_with_password_and_code(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = Visitor(whole)
        await app.be_let_in()
        surfer = app.surfer
        await surfer.get("/account")
        await surfer.fill_in("/account/delete/code", password=PASSWORD)
        assert "A code is on its way" in surfer.text
        await surfer.fill_in("/account/delete", password=PASSWORD, code="AAAAA-AAAAA")
        assert "Token is invalid" in surfer.text
        await surfer.fill_in("/account/delete", password="wrong", code=letter(whole))
        assert "do not match" in surfer.text
        await surfer.fill_in("/account/delete", password=PASSWORD, code=letter(whole))
        assert "Your account and all that was in it is deleted." in surfer.text
        assert (await log_in(whole)).status == 401
        assert (await app.call("GET", SESSION)).status == 401
        await surfer.get("/account")
        assert 'action="/account/sign-in"' in surfer.text

    town.run(story(town.whole))


def test_a_forgotten_password_is_replaced_by_mail(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = Visitor(whole)
        await app.be_let_in()
        surfer = Surfer(whole)
        for email in ("nobody@mail.example", "Alice@mail.example"):
            await surfer.get("/account/forgotten")
            await surfer.fill_in("/account/forgotten", email=email)
            assert "If there is such an account" in surfer.text
        new = "quite another password"
        await surfer.fill_in("/account/forgotten/new", code="AAAAA-AAAAA", new=new)
        assert "Token is invalid" in surfer.text
        await surfer.fill_in("/account/forgotten/new", code=letter(whole), new="short")
        assert "8 to 256 characters" in surfer.text
        code = letter(whole)
        await surfer.fill_in("/account/forgotten/new", code=code, new=new)
        assert 'action="/account/sign-in"' in surfer.text
        assert (await log_in(whole)).status == 401
        assert (await log_in(whole, new)).status == 200
        assert (await app.call("GET", SESSION)).status == 401
        assert "Sign in" in (await app.surfer.get("/account")).body.decode()
        await surfer.get("/account/forgotten")
        await surfer.fill_in("/account/forgotten", email="nobody@mail.example")
        await surfer.fill_in("/account/forgotten/new", code=code, new="once more, please")
        assert "Token is invalid" in surfer.text

    town.run(story(town.whole))


def test_a_reset_over_xrpc_signs_browsers_out_too(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_home(whole)
        ask = "com.atproto.server.requestPasswordReset"
        assert (await whole.call(ask, {"email": "alice@mail.example"})).status == 200
        given = {"token": letter(whole), "password": "quite another password"}
        assert (await whole.call("com.atproto.server.resetPassword", given)).status == 200
        await surfer.get("/account")
        assert 'action="/account/sign-in"' in surfer.text

    town.run(story(town.whole))


def test_a_passkey_is_asked_for_and_answers_one_question_once(town: Town) -> None:
    site = Site(ORIGIN)

    def answer(surfer: Surfer, action: str, kind: str, count: int) -> dict[str, str]:
        ticket = surfer.form(action).fields["ticket"]
        return told(kind, count, site=site, challenge=hashed(ticket)) | {"credential": "bXkga2V5"}

    async def story(whole: Whole) -> None:
        surfer = await at_home(whole)
        add = "/account/passkeys"
        made = answer(surfer, add, "webauthn.create", 0)
        await surfer.fill_in(add, **made, name="key", password="wrong")
        assert "do not match" in surfer.text
        stale = answer(surfer, add, "webauthn.create", 0)
        await surfer.fill_in(
            add, **(stale | {"client_data": made["client_data"]}), password=PASSWORD
        )
        assert "Please try again" in surfer.text
        made = answer(surfer, add, "webauthn.create", 0)
        await surfer.fill_in(add, **made, name="key", password=PASSWORD)
        assert "From now on a passkey is asked for" in surfer.text

        other, use = Surfer(whole), "/account/passkey"
        await other.get("/account")
        await other.sign_in()
        assert "One more step" in other.text
        shown = answer(other, use, "webauthn.get", 5)
        assert (await other.fill_in(use, **(shown | {"credential": "b3RoZXI"}))).status == 401
        shown = answer(other, use, "webauthn.get", 5)
        fields = other.form(use).fields | shown
        await other.fill_in(use, **shown)
        assert "Your account" in other.text
        assert (await other.post(use, fields)).status == 403
        again = await at_second_step(whole)
        copied = await again.fill_in(use, **answer(again, use, "webauthn.get", 5))
        assert copied.status == 401
        assert "copied" in again.text
        codes = await again.post("/account/code", again.form(use).fields | {"code": "000000"})
        assert codes.status == 401

        await surfer.get("/account")
        await surfer.fill_in("/account/passkeys/remove", password=PASSWORD)
        assert "The passkey is removed." in surfer.text
        assert "Your account" in (await at_home(whole)).text

    async def at_second_step(whole: Whole) -> Surfer:
        surfer = Surfer(whole)
        await surfer.get("/account")
        await surfer.sign_in()
        return surfer

    town.run(story(town.whole))


def test_an_account_whose_identity_moved_elsewhere_does_not_return(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_home(whole)
        await surfer.fill_in("/account/rest", password=PASSWORD)
        alice = whole.store.member_by_handle(Handle("alice.test"))
        assert alice is not None
        ring = KeyRing(whole.store)
        await ring.open()
        log = f"/plc/{alice.did}"
        last = (await whole.send("GET", f"{log}/log/last")).json
        moved = {
            "atproto_pds": {
                "type": "AtprotoPersonalDataServer",
                "endpoint": "https://elsewhere.example",
            }
        }
        operation = update(last, ring.rotation_key(), services=moved)
        sent = {"content-type": "application/json"}
        reply = await whole.send("POST", log, json.dumps(operation), headers=sent)
        assert reply.status == 200, reply.body
        await surfer.fill_in("/account/return")
        assert "does not match" in surfer.text
        found = whole.store.member(alice.id)
        assert found is not None
        assert not found.is_active

    town.run(story(town.whole))
