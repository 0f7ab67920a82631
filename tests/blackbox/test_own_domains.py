"""Members on domains of their own federate over TLS: a whole domain, a subdomain, a split one."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.blackbox.test_fedify import NOW, about, eventually, heard
from tests.kit.node import Peer, peer
from tests.kit.process import Server, free_port
from tests.kit.town import Town, needs, town
from tests.kit.xrpc_client import PASSWORD, XrpcClient

pytestmark = pytest.mark.peer

DOMAINS = json.dumps([{"handle_suffix": ".pods.test", "origin": "https://{name}.pods.test"}])
ADMIN = "swordfish"
COUNTED = ("likes", "shares", "replies")
NAMES = ("pods.test", "alice.test", "bea.pods.test", "carol.test", "social.carol.test")
SITES = """
alice.test, social.carol.test {{
    reverse_proxy 127.0.0.1:{pod}
}}
carol.test {{
    redir /.well-known/webfinger https://social.carol.test{{uri}} 302
}}
fedify.test {{
    reverse_proxy 127.0.0.1:{fedify}
}}
"""


@dataclass
class Resident:
    """A member, driven over XRPC and their account page, as they look from outside."""

    place: Town
    server: Server
    client: XrpcClient
    origin: str
    address: str

    @property
    def actor(self) -> str:
        return f"{self.origin}/me"

    def record(self, method: str, rkey: str, text: str | None = None) -> str:
        """Write or delete a post; the id of its object."""
        kind = "app.bsky.feed.post"
        body = {"repo": self.client.session["did"], "collection": kind, "rkey": rkey}
        if text is not None:
            body["record"] = {"$type": kind, "text": text, "createdAt": NOW}
        self.client.post(f"com.atproto.repo.{method}", body)
        return f"{self.origin}/repo/{kind}/{rkey}"

    async def shown(self, path: str) -> Any:
        accept = "application/activity+json"
        status, text, _ = await self.place.get(self.origin + path, Accept=accept)
        return json.loads(text) if status == 200 else status


@dataclass
class Street:
    """Three members of one pod and a neighbour on Fedify."""

    whole: Resident
    sub: Resident
    split: Resident
    neighbour: Peer


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    needs("caddy")
    with town(tmp_path_factory.mktemp("town"), *NAMES, "fedify.test") as place:
        port, fedify = free_port(), free_port()
        place.front(port, sites=SITES.format(pod=port, fedify=fedify))
        place.trust_caddy()
        server = place.pod(
            "pods.test",
            port=port,
            COMMONPOD_SERVICE_DOMAINS=DOMAINS,
            COMMONPOD_ADMIN_PASSWORD=ADMIN,
        )
        environment = {
            "ORIGIN": "https://fedify.test",
            "PORT": str(fedify),
            "NODE_EXTRA_CA_CERTS": str(place.trusted),
        }
        with peer("fedify.mjs", "dan", under=place.under, environment=environment) as dan:
            whole = resident(place, server, "alice.test", "alice@alice.test")
            sub = resident(place, server, "bea.pods.test", "bea@bea.pods.test")
            split = resident(place, server, "social.carol.test", "carol@carol.test")
            choose_address(server, split)
            yield Street(whole, sub, split, dan)


def resident(place: Town, server: Server, handle: str, address: str) -> Resident:
    """A new member of a pod."""
    client = XrpcClient(server.address)
    given = {"handle": handle, "email": f"{handle}@mail.example", "password": PASSWORD}
    client.session = client.post("com.atproto.server.createAccount", given)
    client.token = client.session["accessJwt"]
    return Resident(place, server, client, f"https://{handle}", address)


def choose_address(server: Server, member: Resident) -> None:
    """Change the fediverse address on the account page, as a browser does."""
    headers = {"Host": "pods.test", "Origin": "https://pods.test", "Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=server.address, headers=headers, timeout=30) as browser:

        def send(page: httpx.Response, path: str, **fields: str) -> httpx.Response:
            cookies = "; ".join(f"{name}={value}" for name, value in jar.items())
            token = re.search(r'name="form_token" value="([^"]+)"', page.text)
            assert token is not None, page.text
            answer = browser.post(
                path, data={"form_token": token[1], **fields}, headers={"Cookie": cookies}
            )
            jar.update(answer.cookies)
            return answer

        page = browser.get("/account")
        jar = dict(page.cookies)
        entered = send(
            page, "/account/sign-in", name=member.client.session["handle"], password=PASSWORD
        )
        cookies = "; ".join(f"{name}={value}" for name, value in jar.items())
        page = browser.get(entered.headers["Location"], headers={"Cookie": cookies})
        done = send(page, "/account/address", address=member.address)
        assert f"@{member.address}" in done.text, done.text


@pytest.mark.parametrize("kind", ["whole", "sub", "split"])
def test_a_member_is_found_followed_and_heard(street: Street, kind: str) -> None:
    member: Resident = getattr(street, kind)
    dan = street.neighbour
    found = dan.ask("lookup", url=f"@{member.address}")
    assert found["id"] == member.actor
    assert found["preferredUsername"] == member.address.split("@")[0]
    dan.ask("follow", actor=f"@{member.address}")
    heard(dan, lambda entry: entry["type"] == "Accept" and entry["actor"] == member.actor)
    post = member.record("createRecord", "3kaaaaaaaaa22", "hello from home")
    created = heard(dan, lambda entry: entry["type"] == "Create" and entry["object"] == post)
    assert "hello from home" in created["shows"]["content"]
    member.record("putRecord", "3kaaaaaaaaa22", "hello again")
    edited = heard(dan, lambda entry: entry["type"] == "Update" and entry["object"] == post)
    assert "hello again" in edited["shows"]["content"]
    member.record("deleteRecord", "3kaaaaaaaaa22")
    heard(dan, lambda entry: entry["type"] == "Delete" and entry["object"] == post)


def test_nothing_is_sent_for_a_member_whose_domain_leads_nowhere(street: Street) -> None:
    place, server, dan = street.whole.place, street.whole.server, street.neighbour
    lost = resident(place, server, "eve.pods.test", "eve@eve.pods.test")
    for member in (lost, street.whole):
        _follow(member, dan.ready["actor"])
    heard(dan, lambda entry: entry["type"] == "Follow" and entry["actor"] == street.whole.actor)

    def told() -> bool:
        page = httpx.get(
            f"{server.address}/admin/domains", auth=("admin", ADMIN), headers={"Host": "pods.test"}
        )
        return "eve.pods.test" in page.text and "cannot be reached" in page.text

    assert eventually(told)
    assert all(entry["actor"] != lost.actor for entry in dan.ask("log"))


def _follow(member: Resident, actor: str) -> None:
    """Follow somebody by the member's own outbox."""
    say(member, {"type": "Follow", "object": actor})


def say(member: Resident, activity: dict[str, Any]) -> str:
    """Post an activity to a member's own outbox; the URL of what was made."""
    headers = {
        "Host": member.origin.removeprefix("https://"),
        "Authorization": f"Bearer {member.client.token}",
        "Content-Type": "application/activity+json",
    }
    body = {"@context": "https://www.w3.org/ns/activitystreams", **activity}
    done = httpx.post(f"{member.server.address}/outbox", json=body, headers=headers)
    assert done.status_code < 300, done.text
    return done.headers.get("Location", "")


@pytest.mark.parametrize("kind", ["whole", "sub", "split"])
def test_likes_boosts_and_answers_arrive_at_every_kind_of_home(street: Street, kind: str) -> None:
    member: Resident = getattr(street, kind)
    dan = street.neighbour
    post = member.record("createRecord", "3kbbbbbbbbb22", "like me")
    path = post.removeprefix(member.origin)
    dan.ask("like", object=post)
    dan.ask("announce", object=post)
    dan.ask("reply", object=post, text="<p>Yes</p>")

    def counted() -> bool:
        shown = [asyncio.run(member.shown(f"{path}?c={name}")) for name in COUNTED]
        return [each["totalItems"] for each in shown] == [1, 1, 1]

    assert eventually(counted)


@pytest.mark.parametrize("kind", ["whole", "sub", "split"])
def test_polls_warnings_and_quotes_work_from_every_kind_of_home(street: Street, kind: str) -> None:
    member: Resident = getattr(street, kind)
    dan = street.neighbour
    dan.ask("follow", actor=member.actor)
    heard(dan, lambda entry: entry["type"] == "Accept" and entry["actor"] == member.actor)
    ends = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    options = [{"type": "Note", "name": name} for name in ("Tea", "Coffee")]
    question = {"type": "Question", "content": "<p>Which?</p>", "oneOf": options, "endTime": ends}
    poll = say(member, question)
    heard(dan, about(poll, "Create"))
    dan.ask("vote", object=poll, choice="Coffee")
    told = heard(dan, about(poll, "Update"))["shows"]["poll"]
    assert [option["votes"] for option in told["options"]] == [0, 1]
    warned = say(member, {"type": "Note", "content": "<p>End</p>", "summary": "the film"})
    shows = heard(dan, about(warned, "Create"))["shows"]
    assert (shows["summary"], shows["content"]) == ("the film", "<p>End</p>")
    wanted = dan.ask("quote", object=warned, text="<p>So true</p>")
    heard(dan, lambda each: each["type"] == "Accept" and each["object"] == wanted["request"])


def test_a_member_takes_their_followers_to_another_domain(street: Street) -> None:
    old, new, dan = street.sub, street.whole, street.neighbour
    dan.ask("follow", actor=old.actor)
    heard(dan, lambda entry: entry["type"] == "Accept" and entry["actor"] == old.actor)
    names = asyncio.run(new.shown("/me"))["alsoKnownAs"]
    known = {"type": "Person", "id": new.actor}
    say(new, {"type": "Update", "object": {**known, "alsoKnownAs": [*names, old.actor]}})
    say(old, {"type": "Move", "object": old.actor, "target": new.actor})
    move = heard(dan, lambda entry: entry["type"] == "Move" and entry["actor"] == old.actor)
    assert move["document"]["target"] == new.actor
    assert dan.ask("lookup", url=f"@{old.address}")["movedTo"] == new.actor
