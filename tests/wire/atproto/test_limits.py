"""Rate limits of single methods: counted by member, by client or by name, and told in headers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapters.http.throttle import Throttle
from tests.kit.xrpc import PASSWORD, Person, Pod, in_pod

LOGIN = "com.atproto.server.createSession"
CREATE = "com.atproto.repo.createRecord"
POST = {"$type": "app.bsky.feed.post", "text": "x", "createdAt": "2026-01-02T03:04:05.678Z"}


def strict(pod: Pod) -> None:
    """Limit rates, in a world where no time passes."""
    pod.throttle = Throttle(monotonic=lambda: 0.0)
    pod.services = replace(pod.services, throttle=pod.throttle)
    pod.become(pod.settings)


def create(person: Person) -> dict[str, Any]:
    return {"repo": person.did, "collection": "app.bsky.feed.post", "record": POST}


def test_sign_ins_are_counted_by_name_and_client():
    async def story(pod: Pod):
        await pod.join("alice")
        strict(pod)
        given = {"identifier": "alice.test", "password": PASSWORD}
        first = await pod.post(LOGIN, given)
        assert first.headers["ratelimit-limit"] == "30"
        assert first.headers["ratelimit-remaining"] == "29"
        assert first.headers["ratelimit-policy"] == "30;w=300"
        replies = [await pod.post(LOGIN, given) for _ in range(30)]
        assert [r.status for r in replies] == [200] * 29 + [429]
        assert replies[-1].error == "RateLimitExceeded"
        assert replies[-1].headers["ratelimit-remaining"] == "0"
        assert int(replies[-1].headers["retry-after"]) > 0
        upper = await pod.post(LOGIN, given | {"identifier": "ALICE.test"})
        assert upper.status == 429
        other = await pod.post(LOGIN, given | {"identifier": "alice@mail.example"})
        assert other.status == 200

    in_pod(story)


def test_writes_cost_by_what_they_do_and_share_one_purse():
    async def story(pod: Pod):
        alice, bob = await pod.join("alice"), await pod.join("bob")
        strict(pod)
        left = []
        made = await pod.post(CREATE, create(alice), alice.access)
        left.append(made.headers["ratelimit-remaining"])
        rkey = made.json["uri"].rpartition("/")[2]
        where = {"repo": alice.did, "collection": "app.bsky.feed.post", "rkey": rkey}
        put = await pod.post("com.atproto.repo.putRecord", where | {"record": POST}, alice.access)
        left.append(put.headers["ratelimit-remaining"])
        gone = await pod.post("com.atproto.repo.deleteRecord", where, alice.access)
        left.append(gone.headers["ratelimit-remaining"])
        writes = [
            {
                "$type": "com.atproto.repo.applyWrites#create",
                "collection": "app.bsky.feed.post",
                "value": POST,
            }
        ] * 4
        many = await pod.post(
            "com.atproto.repo.applyWrites", {"repo": alice.did, "writes": writes}, alice.access
        )
        left.append(many.headers["ratelimit-remaining"])
        assert left == ["4997", "4995", "4994", "4982"]
        other = await pod.post(CREATE, create(bob), bob.access)
        assert other.headers["ratelimit-remaining"] == "4997"

    in_pod(story)


def test_a_member_gets_five_letters_an_hour():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        strict(pod)
        nsid = "com.atproto.server.requestEmailConfirmation"
        replies = [await pod.post(nsid, None, alice.access) for _ in range(6)]
        assert [r.status for r in replies] == [200] * 5 + [429]
        assert len(pod.letters) == 5

    in_pod(story)


def test_without_limits_no_headers_are_told():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        made = await pod.post(CREATE, create(alice), alice.access)
        assert "ratelimit-limit" not in made.headers

    in_pod(story)
