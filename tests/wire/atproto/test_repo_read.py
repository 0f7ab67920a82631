"""getRecord, listRecords, describeRepo through the application."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pod.access.agent import SYSTEM
from pod.model.member import Standing
from tests.kit.xrpc import Pod, Reply, in_pod

POST = "app.bsky.feed.post"
GET = "com.atproto.repo.getRecord"
LIST = "com.atproto.repo.listRecords"
RKEYS = [f"3kaaaaaaaaa{a}{b}" for a in "bcdef" for b in "bcdef"]


async def fill(pod: Pod, person) -> None:
    kind = "com.atproto.repo.applyWrites#create"
    value = {"$type": POST, "text": "x", "createdAt": "2026-01-02T03:04:05.678Z"}
    writes = [{"$type": kind, "collection": POST, "rkey": k, "value": value} for k in RKEYS]
    body = {"repo": person.did, "writes": writes}
    assert (await pod.post("com.atproto.repo.applyWrites", body, person.access)).status == 200


def keys(reply: Reply) -> list[str]:
    return [record["uri"].rpartition("/")[2] for record in reply.json["records"]]


def test_a_record_is_found_by_its_cid_and_not_by_another():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        made = await pod.write_post(alice, "hello")
        at = {"repo": alice.did, "collection": POST, "rkey": made["uri"].rpartition("/")[2]}
        assert (await pod.get(GET, **at, cid=made["cid"])).json["value"]["text"] == "hello"
        other = await pod.get(GET, **at, cid=made["commit"]["cid"])
        assert (other.status, other.error) == (400, "RecordNotFound")

    in_pod(story)


def test_a_missing_record_says_which():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        reply = await pod.get(GET, repo=alice.did, collection=POST, rkey="nothing")
        uri = f"at://{alice.did}/{POST}/nothing"
        assert reply.json == {
            "error": "RecordNotFound",
            "message": f"Could not locate record: {uri}",
        }

    in_pod(story)


def test_records_of_a_resting_account_are_not_served():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        made = await pod.write_post(alice, "hello")
        await pod.services.accounts.set_standing(SYSTEM, alice.member.id, Standing.DEACTIVATED)
        at = {"repo": alice.did, "collection": POST, "rkey": made["uri"].rpartition("/")[2]}
        assert (await pod.get(GET, **at)).error == "RecordNotFound"
        assert (await pod.get(LIST, repo=alice.did, collection=POST)).status == 400
        described = await pod.get("com.atproto.repo.describeRepo", repo=alice.did)
        assert described.error == "RepoDeactivated"

    in_pod(story)


def test_a_page_starts_with_the_newest_key_and_the_next_one_follows():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await fill(pod, alice)
        first = await pod.get(LIST, repo=alice.did, collection=POST, limit=10)
        assert keys(first) == sorted(RKEYS, reverse=True)[:10]
        next_one = await pod.get(
            LIST, repo=alice.did, collection=POST, limit=10, cursor=first.json["cursor"]
        )
        assert keys(next_one) == sorted(RKEYS, reverse=True)[10:20]

    in_pod(story)


@settings(max_examples=10)
@given(limit=st.integers(1, 100), reverse=st.booleans())
def test_pages_of_any_size_give_every_record_once_in_order(limit, reverse):
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await fill(pod, alice)
        found, cursor = [], None
        while True:
            page = await pod.get(
                LIST,
                repo=alice.did,
                collection=POST,
                limit=limit,
                reverse=str(reverse).lower(),
                cursor=cursor,
            )
            if not keys(page):
                break
            found += keys(page)
            cursor = page.json["cursor"]
        assert found == sorted(RKEYS, reverse=not reverse)

    in_pod(story)


def test_only_the_collection_asked_for_is_listed():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await fill(pod, alice)
        assert keys(await pod.get(LIST, repo=alice.did, collection="app.bsky.feed.pos")) == []
        assert keys(await pod.get(LIST, repo=alice.did, collection="app.bsky.feed.like")) == []

    in_pod(story)


def test_a_limit_out_of_range_is_refused():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        for limit in ("0", "101", "-1", "many", "1.5"):
            reply = await pod.get(LIST, repo=alice.did, collection=POST, limit=limit)
            assert (reply.status, reply.error) == (400, "InvalidRequest")

    in_pod(story)


def test_a_described_repo_names_its_owner_and_its_collections():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await pod.write_post(alice, "hello")
        reply = await pod.get("com.atproto.repo.describeRepo", repo="alice.test")
        assert reply.json == {
            "handle": "alice.test",
            "did": alice.did,
            "didDoc": pod.directory.documents[alice.did],
            "collections": [POST],
            "handleIsCorrect": True,
        }
        pod.directory.documents[alice.did]["alsoKnownAs"] = ["at://mallory.test"]
        reply = await pod.get("com.atproto.repo.describeRepo", repo=alice.did)
        assert reply.json["handleIsCorrect"] is False

    in_pod(story)


def test_an_unknown_repo_is_named_in_the_error():
    async def story(pod: Pod):
        for nsid in ("com.atproto.repo.describeRepo", "com.atproto.sync.getLatestCommit"):
            name = "repo" if "describe" in nsid else "did"
            reply = await pod.get(nsid, **{name: "did:plc:" + "z" * 24})
            assert (reply.status, reply.error) == (400, "RepoNotFound")

    in_pod(story)
