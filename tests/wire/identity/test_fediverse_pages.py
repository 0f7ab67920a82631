"""A member's page of the fediverse: what they choose there holds, and nobody else chooses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.surfer import Surfer
from tests.kit.whole import Town, Whole

PAGE = "/account/fediverse"
AS2 = "application/activity+json"


@pytest.fixture
def town(tmp_path: Path):
    town = Town(tmp_path)
    town.run(town.whole.join("alice"))
    town.run(town.whole.join("bob"))
    yield town
    town.close()


async def at_page(whole: Whole) -> Surfer:
    surfer = Surfer(whole)
    await surfer.get(PAGE)
    await surfer.sign_in("alice.test")
    assert "You in the fediverse" in surfer.text
    return surfer


def test_nobody_sees_or_does_anything_without_signing_in(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = Surfer(whole)
        for page in (PAGE, f"{PAGE}/blocked_domains.csv"):
            await surfer.get(page)
            assert "alice" not in surfer.text
        token = surfer.form("/account/sign-in").fields["form_token"]
        await surfer.post(f"{PAGE}/domain", {"form_token": token, "domain": "bad.example"})
        assert 'action="/account/sign-in"' in surfer.text
        member = await at_page(whole)
        assert (await member.post(f"{PAGE}/domain", {"domain": "bad.example"})).status == 403
        assert "bad.example" not in (await member.get(PAGE)).body.decode()

    town.run(story(town.whole))


def test_a_member_blocks_servers_and_takes_the_list_along(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_page(whole)
        await surfer.fill_in(f"{PAGE}/domain", domain="Bad.Example")
        assert "You hear nobody of Bad.Example any more" in surfer.text
        export = await surfer.get(f"{PAGE}/blocked_domains.csv")
        assert export.body == b"bad.example\n"
        await surfer.get(PAGE)
        await surfer.fill_in(f"{PAGE}/undomain")
        assert (await surfer.get(f"{PAGE}/blocked_domains.csv")).body == b""
        await surfer.get(PAGE)
        refused = await surfer.fill_in(f"{PAGE}/domain", domain="no domain")
        assert (refused.status, "is not a domain" in surfer.text) == (400, True)
        assert (await surfer.get(f"{PAGE}/secrets.csv")).status == 404

    town.run(story(town.whole))


def test_a_member_says_how_they_appear(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_page(whole)
        chosen = {"name0": "Blog", "value0": "https://blog.example/", "tags": "#bread"}
        await surfer.fill_in(f"{PAGE}/presence", locked="yes", **chosen)
        assert "Your profile is changed" in surfer.text
        assert 'value="https://blog.example/"' in surfer.text
        origin = "http://alice.localhost:2583"
        actor = (await whole.ask("GET", f"{origin}/me", accept=AS2)).json
        assert actor["manuallyApprovesFollowers"] is True
        assert actor["discoverable"] is False
        assert "Blog" in [field["name"] for field in actor["attachment"]]

    town.run(story(town.whole))


def test_members_of_one_pod_follow_block_and_mute_each_other_by_address(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_page(whole)
        for act, word in (("follow", "was asked"), ("mute", "is muted"), ("block", "is blocked")):
            await surfer.fill_in(f"{PAGE}/{act}", who="@bob@bob.localhost:2583")
            assert word in surfer.text
        await surfer.fill_in(f"{PAGE}/follow", who="@bob@bob.localhost:2583")
        assert "You block this account" in surfer.text
        await surfer.fill_in(f"{PAGE}/unblock")
        assert "is not blocked any more" in surfer.text
        await surfer.fill_in(f"{PAGE}/tray")
        assert "Strangers wait here from now on" in surfer.text
        await surfer.fill_in(f"{PAGE}/report", who="@bob@bob.localhost:2583", comment="rude")
        assert "The administrator will look at it" in surfer.text

    town.run(story(town.whole))


def test_a_mute_may_be_over_by_itself(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_page(whole)
        bob = "@bob@bob.localhost:2583"
        await surfer.fill_in(f"{PAGE}/mute", who=bob, days="7")
        assert "until <time" in surfer.text
        await surfer.fill_in(f"{PAGE}/mute", who=bob, days="")
        assert "until <time" not in surfer.text
        await surfer.fill_in(f"{PAGE}/mute", who=bob, days="8")
        assert "Choose how long from the list" in surfer.text

    town.run(story(town.whole))


def test_a_member_takes_a_new_signing_key(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_page(whole)
        actor = "http://alice.localhost:2583/me"
        before = (await whole.ask("GET", actor, accept=AS2)).json["publicKey"]
        await surfer.fill_in(f"{PAGE}/key")
        assert "You have a new signing key" in surfer.text
        after = (await whole.ask("GET", actor, accept=AS2)).json["publicKey"]
        assert after["id"] == before["id"]
        assert after["publicKeyPem"] != before["publicKeyPem"]

    town.run(story(town.whole))


def test_a_list_is_brought_as_a_file(town: Town) -> None:
    async def story(whole: Whole) -> None:
        surfer = await at_page(whole)
        token = surfer.form(f"{PAGE}/import").fields["form_token"]
        parts = {"form_token": token, "kind": "domains"}
        boundary = "xxBOUNDARYxx"
        body = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in parts.items()
        )
        body += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n'
            "Content-Type: text/csv\r\n\r\n#domain\nbad.example\nworse.example\n"
            f"\r\n--{boundary}--\r\n"
        )
        sent = {"content-type": f"multipart/form-data; boundary={boundary}"}
        reply = await surfer._send("POST", f"{PAGE}/import", body, sent)
        assert reply.status == 200, surfer.text
        assert "2 lines are taken in" in surfer.text
        assert "of 2 lines are through" in surfer.text
        forged = await surfer._send("POST", f"{PAGE}/import", body.replace(token, "x"), sent)
        assert forged.status == 403

    town.run(story(town.whole))
