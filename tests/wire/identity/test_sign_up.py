"""The page on which accounts are opened: with a key of one's own, by invitation, for apps."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from pod.keys.curves import SigningKey
from pod.keys.multibase import decode
from tests.kit.surfer import Surfer, Visitor
from tests.kit.whole import Town, Whole, open_whole

SIGN_UP = "/account/sign-up"
CAROL = {"handle": "carol", "email": "carol@mail.example", "password": "long enough"}


@pytest.fixture
def town(tmp_path: Path):
    town = Town(tmp_path)
    yield town
    town.close()


async def rotation_keys(whole: Whole, did: str) -> list[str]:
    reply = await whole.send("GET", f"/plc/{quote(did)}/log/last")
    keys: list[str] = reply.json["rotationKeys"]
    return keys


def did_of(whole: Whole, handle: str) -> str | None:
    member = whole.store.member_by_handle(handle)
    return None if member is None else member.did


async def at_the_form(whole: Whole, **values: str) -> Surfer:
    surfer = Surfer(whole)
    await surfer.get(SIGN_UP)
    await surfer.fill_in(SIGN_UP, **(CAROL | values))
    return surfer


def test_a_key_that_the_page_makes_comes_before_the_servers_and_is_shown_once(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_the_form(whole, make_key="yes")
        found = re.search(r'class="secret">(z\w+)<', surfer.text)
        assert found is not None
        secret = decode(found[1])
        assert secret[:2] == b"\x81\x26"
        keys = await rotation_keys(whole, did_of(whole, "carol.test") or "")
        assert keys[0] == SigningKey.from_bytes(secret[2:]).did_key
        assert len(keys) == 2
        await surfer.get("/account")
        assert "Your account" in surfer.text
        assert found[1] not in surfer.text

    town.run(story(town.whole))


def test_a_key_that_somebody_brings_comes_first_too(town: Town) -> None:
    async def story(whole: Whole) -> None:
        own = SigningKey.generate_p256().did_key
        surfer = await at_the_form(whole, recovery_key=own)
        assert "Your account" in surfer.text
        assert (await rotation_keys(whole, did_of(whole, "carol.test") or ""))[0] == own

    town.run(story(town.whole))


@pytest.mark.parametrize(
    "values",
    [
        {"handle": "a"},
        {"handle": "admin"},
        {"email": "nowhere"},
        {"password": "short"},
        {"recovery_key": "did:key:zNonsense"},
        {"recovery_key": SigningKey.generate_k256().did_key, "make_key": "yes"},
    ],
)
def test_what_cannot_be_is_said_and_the_form_keeps_what_was_written(
    town: Town, values: dict[str, str]
) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_the_form(whole, **values)
        assert surfer.page is not None
        assert surfer.page.status == 400
        assert 'role="alert"' in surfer.text
        kept = surfer.form(SIGN_UP).fields
        assert kept["handle"] == (CAROL | values)["handle"]
        assert kept["email"] == (CAROL | values)["email"]
        assert CAROL["password"] not in surfer.text
        assert whole.store.member_by_handle("carol.test") is None

    town.run(story(town.whole))


def test_another_site_cannot_send_the_form(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = Surfer(whole)
        await surfer.get(SIGN_UP)
        fields = surfer.form(SIGN_UP).fields | CAROL
        assert (await surfer.post(SIGN_UP, fields, sec_fetch_site="same-site")).status == 403
        assert (await surfer.post(SIGN_UP, fields | {"form_token": "x"})).status == 403
        assert did_of(whole, "carol.test") is None

    town.run(story(town.whole))


def test_an_app_that_asks_for_a_new_account_gets_one(town: Town) -> None:
    async def story(whole: Whole) -> None:
        app = Visitor(whole)
        await app.surfer.get(await app.begin(prompt="create"))
        await app.surfer.fill_in(SIGN_UP, **CAROL)
        assert "carol.test" in app.surfer.text
        assert app.surfer.form("/oauth/authorize").fields["account"] == did_of(whole, "carol.test")

    town.run(story(town.whole))


def test_where_sign_up_is_not_open_an_invitation_is_used_up(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_whole(tmp_path, open_sign_up=False, admin_password="pw") as whole:
            asked = await whole.send(
                "POST",
                "/xrpc/com.atproto.server.createInviteCode",
                '{"useCount": 1}',
                headers={"content-type": "application/json", "authorization": "Basic YWRtaW46cHc="},
            )
            for invite in ("", "no-such-code"):
                surfer = await at_the_form(whole, invite=invite)
                assert "nvite code" in surfer.text
            surfer = await at_the_form(whole, invite=asked.json["code"])
            assert "Your account" in surfer.text
            late = {"handle": "dave", "email": "dave@mail.example"}
            surfer = await at_the_form(whole, invite=asked.json["code"], **late)
            assert surfer.page is not None
            assert surfer.page.status == 400
            assert did_of(whole, "dave.test") is None

    asyncio.run(story())
