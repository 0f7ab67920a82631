"""A real client library of Mastodon's API drives a member's pod, with a Fedify server beside it."""

from __future__ import annotations

import base64
import io
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image

from tests.kit.node import Peer, PeerRefused, peer
from tests.kit.process import Server, running

pytestmark = pytest.mark.peer

PASSWORD = "correct horse battery"
WITHIN_S = 20.0


@dataclass
class Phone:
    """A member's app."""

    server: Server
    did: str
    app: Peer

    def call(self, path: str, *args: Any) -> Any:
        """A method of the library; ``[id]`` in the path selects."""
        return self.app.ask("call", path=path, args=list(args))

    def say(self, status: str, **more: Any) -> Any:
        return self.call("v1.statuses.create", {"status": status, **more})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("masto") / "data") as server:
        yield server


def joined(server: Server, name: str) -> str:
    given = {"handle": f"{name}.test", "email": f"{name}@a.test", "password": PASSWORD}
    request = urllib.request.Request(
        f"{server.address}/xrpc/com.atproto.server.createAccount",
        data=json.dumps(given).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        did: str = json.loads(response.read())["did"]
    return did


@pytest.fixture(scope="module")
def alice(server: Server) -> Iterator[Phone]:
    did = joined(server, "alice")
    with peer("masto_client.mjs", server.url) as app:
        made = app.ask("login", handle="alice.test", password=PASSWORD)
        assert made["tokenType"] == "Bearer"
        yield Phone(server, did, app)


def eventually(found: Callable[[], Any]) -> Any:
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it never came")


def record(phone: Phone, uri: str) -> dict[str, Any]:
    """The post as ATProto shows it."""
    rkey = uri.rpartition("/")[2]
    address = (
        f"{phone.server.address}/xrpc/com.atproto.repo.getRecord"
        f"?repo={phone.did}&collection=app.bsky.feed.post&rkey={rkey}"
    )
    with urllib.request.urlopen(address, timeout=10) as response:
        value: dict[str, Any] = json.loads(response.read())["value"]
    return value


def picture() -> str:
    out = io.BytesIO()
    Image.new("RGB", (32, 16), (200, 30, 30)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def status_of(server: Server, url: str) -> int:
    """What a server gets that fetches alice's picture without a signature."""
    origin = server.origin("alice")
    headers = {"Host": origin.removeprefix("http://")}
    request = urllib.request.Request(url.replace(origin, server.address), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            assert response.read() == base64.b64decode(picture())
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_app_knows_whose_it_is(alice: Phone) -> None:
    mine = alice.call("v1.accounts.verifyCredentials")
    assert mine["username"] == "alice"
    assert alice.call("v2.instance.fetch")["apiVersions"]["mastodon"] == 2
    assert alice.call("v1.accounts.lookup", {"acct": mine["acct"]})["id"] == mine["id"]


def test_a_post_is_on_atproto_and_can_be_edited_and_deleted(alice: Phone) -> None:
    made = alice.say("Hello from a phone", language="en")
    assert record(alice, made["uri"])["text"] == "Hello from a phone"
    assert alice.call("v1.timelines.home.list")[0]["id"] == made["id"]
    edited = alice.call(f"v1.statuses.[{made['id']}].update", {"status": "Changed"})
    assert edited["content"] == "<p>Changed</p>"
    assert record(alice, made["uri"])["text"] == "Changed"
    alice.call(f"v1.statuses.[{made['id']}].remove")
    with pytest.raises(PeerRefused):
        alice.call(f"v1.statuses.[{made['id']}].fetch")


def test_a_picture_is_shown_with_its_words(alice: Phone) -> None:
    media = alice.app.ask("media", body=picture(), description="a red field")
    assert media["meta"]["original"]["width"] == 32
    assert media["blurhash"]
    made = alice.say("Look", mediaIds=[media["id"]])
    assert made["mediaAttachments"][0]["description"] == "a red field"
    assert made["mediaAttachments"][0]["type"] == "image"
    embed = record(alice, made["uri"])["embed"]
    assert embed["images"][0]["alt"] == "a red field"


def test_who_is_followed_elsewhere_is_in_home_and_hears_of_likes(alice: Phone) -> None:
    with peer("fedify.mjs", "bob", "cavage") as bob:
        actor = bob.ready["actor"]
        address = f"@bob@{actor.split('/')[2]}"
        found = alice.call("v2.search.list", {"q": address, "resolve": True})["accounts"]
        assert [one["uri"] for one in found] == [actor]
        number = found[0]["id"]
        assert alice.call(f"v1.accounts.[{number}].follow")["requested"] in (True, False)
        eventually(
            lambda: alice.call("v1.accounts.relationships.fetch", {"id": [number]})[0]["following"]
        )
        alice.app.ask("listen")
        url = bob.ask("post", text="<p>News of bob</p>")
        home = eventually(
            lambda: [s for s in alice.call("v1.timelines.home.list") if s["uri"] == url]
        )
        assert home[0]["account"]["acct"] == address.removeprefix("@")
        assert home[0]["content"] == "<p>News of bob</p>"
        told = eventually(lambda: [e for e in alice.app.ask("events") if e["event"] == "update"])
        assert told[0]["payload"]["uri"] == url
        post = home[0]["id"]
        account = alice.call(f"v1.accounts.[{number}].fetch")
        assert (account["followersCount"], account["statusesCount"]) == (1, 1)
        assert (
            alice.call("v2.search.list", {"q": url, "resolve": True})["statuses"][0]["id"] == post
        )

        assert alice.call(f"v1.statuses.[{post}].favourite")["favourited"] is True
        assert alice.call(f"v1.statuses.[{post}].reblog")["reblog"]["id"] == post
        answer = alice.say("An answer", inReplyToId=post)
        assert answer["inReplyToId"] == post
        for kind in ("Like", "Announce", "Create"):
            eventually(lambda kind=kind: [e for e in bob.ask("log") if e["type"] == kind])

        bob.ask("like", object=answer["uri"])
        bob.ask("announce", object=answer["uri"])
        bob.ask("reply", object=answer["uri"], text="<p>Thanks</p>")
        bob.ask("follow", actor=f"{alice.server.origin('alice')}/me")
        wanted = {"favourite", "reblog", "mention", "follow"}

        def kinds() -> bool:
            notices = alice.call("v1.notifications.list")
            return wanted <= {notice["type"] for notice in notices}

        eventually(kinds)
        eventually(lambda: [e for e in alice.app.ask("events") if e["event"] == "notification"])
        context = alice.call(f"v1.statuses.[{answer['id']}].context.fetch")
        assert [one["content"] for one in context["descendants"]] == ["<p>Thanks</p>"]
        assert [one["id"] for one in context["ancestors"]] == [post]
        shown = alice.call(f"v1.statuses.[{answer['id']}].fetch")
        assert (shown["favouritesCount"], shown["reblogsCount"], shown["repliesCount"]) == (1, 1, 1)

        bob.ask("edit", id=url, text="<p>News, corrected</p>")
        eventually(
            lambda: alice.call(f"v1.statuses.[{post}].fetch")["content"] == "<p>News, corrected</p>"
        )
        edits = eventually(lambda: alice.call("v1.notifications.list", {"types": ["update"]}))
        assert [one["status"]["id"] for one in edits] == [post]
        eventually(lambda: [e for e in alice.app.ask("events") if e["event"] == "status.update"])
        bob.ask("delete", id=url)
        eventually(lambda: post not in [s["id"] for s in alice.call("v1.timelines.home.list")])
        eventually(lambda: [e for e in alice.app.ask("events") if e["event"] == "delete"])
        assert alice.call(f"v1.accounts.[{number}].unfollow")["following"] is False


def test_what_neighbours_do_counts_once_when_it_has_arrived_too(
    server: Server, alice: Phone
) -> None:
    joined(server, "gus")
    with peer("masto_client.mjs", server.url) as gus:
        gus.ask("login", handle="gus.test", password=PASSWORD)
        name = alice.call("v1.accounts.verifyCredentials")["acct"]
        number = gus.ask("call", path="v1.accounts.lookup", args=[{"acct": name}])["id"]
        account = f"v1.accounts.[{number}]"
        before = alice.call(f"{account}.fetch")["followersCount"]
        gus.ask("call", path=f"{account}.follow", args=[])

        def told() -> bool:
            shown = json.dumps(alice.call("v1.notifications.list", {"types": ["follow"]}))
            return "gus" in shown

        post = alice.say("Count me")
        for verb in ("favourite", "reblog"):
            gus.ask("call", path=f"v1.statuses.[{post['id']}].{verb}", args=[])
        eventually(told)
        for _ in range(20):  # until it has gone through the queue and after
            assert alice.call(f"{account}.fetch")["followersCount"] == before + 1
            shown = alice.call(f"v1.statuses.[{post['id']}].fetch")
            assert (shown["favouritesCount"], shown["reblogsCount"]) == (1, 1)
            time.sleep(0.1)
        gus.ask("call", path=f"{account}.unfollow", args=[])
        eventually(lambda: alice.call(f"{account}.fetch")["followersCount"] == before)


def test_who_is_rung_for_hears_of_posts_and_of_the_ends_of_polls(alice: Phone) -> None:
    with peer("fedify.mjs", "ella", "cavage") as ella:
        address = f"@ella@{ella.ready['actor'].split('/')[2]}"
        found = alice.call("v2.search.list", {"q": address, "resolve": True})["accounts"]
        number = found[0]["id"]
        assert alice.call(f"v1.accounts.[{number}].follow", {"notify": True})["notifying"] is True
        at = "v1.accounts.relationships.fetch"
        eventually(lambda: alice.call(at, {"id": [number]})[0]["following"])
        url = ella.ask("ask", text="<p>Which?</p>", options=["tea", "coffee"], seconds=6)
        told = eventually(lambda: alice.call("v1.notifications.list", {"types": ["status"]}))
        assert [one["status"]["uri"] for one in told] == [url]
        poll = told[0]["status"]["poll"]
        voted = alice.call(f"v1.polls.[{poll['id']}].votes.create", {"choices": [1]})
        assert voted["ownVotes"] == [1]
        over = eventually(lambda: alice.call("v1.notifications.list", {"types": ["poll"]}))
        assert [one["status"]["uri"] for one in over] == [url]
        assert over[0]["status"]["poll"]["expired"] is True
        groups = alice.call("v2.notifications.list", {"types": ["poll", "status"]})
        assert [one["type"] for one in groups["notificationGroups"]] == ["poll", "status"]


def test_a_picture_for_followers_is_seen_by_them_until_it_is_taken_away(alice: Phone) -> None:
    with peer("fedify.mjs", "fay", "cavage") as fay:
        fay.ask("follow", actor=f"{alice.server.origin('alice')}/me")
        eventually(lambda: [e for e in fay.ask("log") if e["type"] == "Accept"])
        numbers = [alice.app.ask("media", body=picture(), description=d)["id"] for d in "ab"]
        poll = {"options": ["tea", "coffee"], "expiresIn": 600}
        made = alice.say("For friends", visibility="private", mediaIds=numbers, poll=poll)
        assert (made["visibility"], len(made["mediaAttachments"])) == ("private", 2)

        def told(kind: str) -> Any:
            return [
                e for e in fay.ask("log") if e["type"] == kind and e["shows"]["id"] == made["uri"]
            ]

        shows = eventually(lambda: told("Create"))[0]["shows"]
        assert [file["alt"] for file in shows["attachments"]] == ["a", "b"]
        addresses = [file["url"] for file in shows["attachments"]]
        assert [status_of(alice.server, address) for address in addresses] == [200, 200]
        fay.ask("vote", object=made["uri"], choice="tea")
        eventually(lambda: told("Update"))
        shown = alice.call(f"v1.statuses.[{made['id']}].fetch")
        assert [option["votesCount"] for option in shown["poll"]["options"]] == [1, 0]
        kept = shown["mediaAttachments"][1]["id"]
        alice.call(
            f"v1.statuses.[{made['id']}].update", {"status": "For friends", "mediaIds": [kept]}
        )
        eventually(lambda: [t for t in told("Update") if len(t["shows"]["attachments"]) == 1])
        assert [status_of(alice.server, address) for address in addresses] == [404, 200]
        alice.call(f"v1.statuses.[{made['id']}].remove")
        assert [status_of(alice.server, address) for address in addresses] == [404, 404]


def test_an_unlisted_post_is_quiet(alice: Phone) -> None:
    made = alice.say("Between us", visibility="unlisted")
    assert made["visibility"] == "unlisted"
    assert record(alice, made["uri"])["text"] == "Between us"
    public = alice.call("v1.timelines.public.list")
    assert made["id"] not in [one["id"] for one in public]


def test_what_a_post_of_elsewhere_answers_is_fetched(alice: Phone) -> None:
    with peer("fedify.mjs", "finn", "cavage") as finn:
        first = finn.ask("post", text="<p>One</p>")
        second = finn.ask("reply", object=first, text="<p>Two</p>")
        third = finn.ask("reply", object=second, text="<p>Three</p>")
        found = alice.call("v2.search.list", {"q": third, "resolve": True})["statuses"][0]
        context = alice.call(f"v1.statuses.[{found['id']}].context.fetch")
        assert [one["uri"] for one in context["ancestors"]] == [first, second]
        seen = alice.call(f"v1.statuses.[{found['id']}].fetch")
        assert seen["inReplyToId"] == context["ancestors"][1]["id"]
        below = alice.call(f"v1.statuses.[{context['ancestors'][0]['id']}].context.fetch")
        assert [one["uri"] for one in below["descendants"]] == [second, third]
        public = alice.call("v1.timelines.public.list")
        assert third not in [one["uri"] for one in public]


def test_what_answers_a_post_of_elsewhere_is_looked_for(alice: Phone) -> None:
    with peer("fedify.mjs", "gus", "cavage") as gus:
        first = gus.ask("post", text="<p>One</p>")
        found = alice.call("v2.search.list", {"q": first, "resolve": True})["statuses"][0]
        answers = [gus.ask("reply", object=first, text=f"<p>{n}</p>") for n in ("Two", "Three")]
        context = alice.call(f"v1.statuses.[{found['id']}].context.fetch")
        assert sorted(one["uri"] for one in context["descendants"]) == sorted(answers)
        assert alice.call(f"v1.statuses.[{found['id']}].fetch")["repliesCount"] == 2


STARTS = (
    "v1.instance.fetch", "v1.preferences.fetch", "v1.customEmojis.list", "v1.announcements.list",
    "v1.lists.list", "v2.filters.list", "v1.filters.list", "v1.followedTags.list",
    "v1.featuredTags.list", "v1.conversations.list", "v1.bookmarks.list", "v1.favourites.list",
    "v1.followRequests.list", "v1.blocks.list", "v1.mutes.list", "v1.domainBlocks.list",
    "v1.scheduledStatuses.list", "v1.endorsements.list", "v2.suggestions.list",
    "v1.trends.tags.list", "v1.trends.statuses.list", "v1.trends.links.list", "v1.directory.list",
    "v1.instance.rules.list", "v1.instance.peers.list", "v1.instance.activity.list",
    "v2.notifications.policy.fetch", "v1.notifications.policy.fetch", "v2.notifications.list",
    "v1.notifications.requests.list", "v1.notifications.unreadCount.fetch",
    "v2.notifications.unreadCount.fetch", "v1.timelines.public.list",
)  # fmt: skip


def test_an_app_that_starts_has_an_answer_to_everything(alice: Phone) -> None:
    for path in STARTS:
        assert alice.call(path) is not None, path
    assert alice.call("v1.markers.fetch", {"timeline": ["home", "notifications"]}) == {}
    made = alice.say("Read me")
    told = alice.call("v1.markers.create", {"home": {"lastReadId": made["id"]}})
    assert told["home"]["lastReadId"] == made["id"]


def test_lists_filters_and_hashtags_are_the_members_own(alice: Phone) -> None:
    made = alice.call("v1.lists.create", {"title": "Friends", "exclusive": True})
    assert alice.call(f"v1.lists.[{made['id']}].fetch") == made
    assert alice.call(f"v1.timelines.list.[{made['id']}].list") == []
    alice.call(f"v1.lists.[{made['id']}].remove")
    words = [{"keyword": "spoiler", "wholeWord": True}]
    made = alice.call(
        "v2.filters.create",
        {"title": "Films", "context": ["home"], "keywordsAttributes": words},
    )
    assert [one["keyword"] for one in made["keywords"]] == ["spoiler"]
    seen = alice.say("A spoiler about #films")
    assert [one["filter"]["id"] for one in seen["filtered"]] == [made["id"]]
    alice.call(f"v2.filters.[{made['id']}].remove")
    assert alice.call("v1.tags.[films].follow")["following"] is True
    assert [one["name"] for one in alice.call("v1.followedTags.list")] == ["films"]
    tagged = alice.call("v1.timelines.tag.[films].list")
    assert [one["id"] for one in tagged] == [seen["id"]]


def test_a_revoked_token_is_good_for_nothing(server: Server) -> None:
    joined(server, "carol")
    with peer("masto_client.mjs", server.url) as app:
        app.ask("login", handle="carol.test", password=PASSWORD)
        app.ask("call", path="v1.accounts.verifyCredentials")
        app.ask("revoke")
        with pytest.raises(PeerRefused):
            app.ask("call", path="v1.accounts.verifyCredentials")
