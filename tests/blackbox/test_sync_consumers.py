"""The official consumer of the firehose and an independent client: their whole round with a pod."""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kit.firehose import firehose
from tests.kit.guest import Guest
from tests.kit.node import Peer, PeerRefused, peer
from tests.kit.process import Server, running
from tests.kit.story import PASSWORD, picture
from tests.kit.xrpc_client import XrpcClient

pytestmark = pytest.mark.peer

POST = "app.bsky.feed.post"
NOTE = "com.example.note"  # its keys are free
NOW = "2026-11-24T12:00:00.000Z"
APPLY = "com.atproto.repo.applyWrites"
OP = ("action", "path", "cid", "prev")
BYTES: dict[str, Any] = {"as": "bytes"}
NOTHING: dict[str, Any] = {"as": None}


def note(text: str, collection: str = NOTE) -> dict[str, Any]:
    """A record of a few words."""
    return {"$type": collection, "text": text, "createdAt": NOW}


def write(action: str, rkey: str, text: str | None = None) -> dict[str, Any]:
    """One operation of applyWrites on a note."""
    value = {} if text is None else {"value": note(text)}
    return {"$type": f"{APPLY}#{action}", "collection": NOTE, "rkey": rkey, **value}


def text(value: Any) -> Any:
    """A link of the firehose as its text."""
    return value if value is None or isinstance(value, str) else value.encode()


def key_of(directory: str, did: str) -> str:
    """The did:key of an account, as a directory names it."""
    operation = httpx.get(f"{directory}/{did}/log/last").json()
    return str(operation["verificationMethods"]["atproto"])


@contextmanager
def followed(folder: Path) -> Iterator[tuple[Server, str, Peer]]:
    """A pod, its directory, and @atproto/sync, which has not begun to read."""
    with peer("plc.mjs") as plc:
        directory = plc.ready["url"]
        with (
            running(folder / "pod", options=["--plc", directory]) as pod,
            peer("sync_client.mjs", pod.url, directory) as reader,
        ):
            yield pod, directory, reader


def heard(reader: Peer, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """What the consumer has proven, once it is enough; fails when it met an error."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        told = reader.ask("seen")
        assert told["errors"] == []
        events: list[dict[str, Any]] = told["events"]
        if enough(events):
            return events
        time.sleep(0.05)
    raise AssertionError(events)


def reaches(rev: str) -> Callable[[list[dict[str, Any]]], bool]:
    """That a commit was heard."""
    return lambda events: any(event.get("rev") == rev for event in events)


def test_the_official_consumer_proves_every_commit_and_resumes_at_its_cursor(
    tmp_path: Path,
) -> None:
    with followed(tmp_path) as (pod, _, reader):
        alice = XrpcClient(pod.address)
        did = alice.join("alice")["did"]
        reader.ask("start")
        texts = {f"post{n:02d}": f"text {n}" for n in range(40)}
        made = [write("create", rkey, text) for rkey, text in texts.items()]
        alice.post(APPLY, {"repo": did, "writes": made})
        alice.post(APPLY, {"repo": did, "writes": [write("update", "post01", "new")]})
        gone = [write("delete", rkey) for rkey in ("post02", "post03")]
        alice.post(APPLY, {"repo": did, "writes": gone})
        alice.post("com.atproto.identity.updateHandle", {"handle": "alicia.test"})
        # The consumer asks whose the name is, which is not told of an account that rests.
        heard(reader, lambda events: any(e.get("handle") == "alicia.test" for e in events))
        alice.post("com.atproto.server.deactivateAccount", {})
        alice.post("com.atproto.server.activateAccount")
        events = heard(reader, lambda events: [e["event"] for e in events].count("account") == 3)

        assert {event["did"] for event in events} == {did}
        assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)
        created = {e["rkey"]: e["text"] for e in events if e["event"] == "create"}
        assert created == texts
        assert [(e["rkey"], e["text"]) for e in events if e["event"] == "update"] == [
            ("post01", "new")
        ]
        assert {e["rkey"] for e in events if e["event"] == "delete"} == {"post02", "post03"}
        assert [e["active"] for e in events if e["event"] == "account"] == [True, False, True]

        cursor = reader.ask("stop")["cursor"]
        before = len(reader.ask("seen")["events"])
        last = alice.post(APPLY, {"repo": did, "writes": [write("create", "later", "later")]})
        reader.ask("start", cursor=cursor)
        heard(reader, reaches(last["commit"]["rev"]))
        after = reader.ask("seen", since=before)["events"]
        kinds = Counter((event["event"], event.get("rkey")) for event in after)
        assert kinds[("create", "later")] == 1
        assert all(event["seq"] > cursor for event in after)


def test_the_official_consumer_takes_nothing_that_another_key_would_have_signed(
    tmp_path: Path,
) -> None:
    with followed(tmp_path) as (pod, directory, reader):
        bob, alice = XrpcClient(pod.address), XrpcClient(pod.address)
        key = key_of(directory, bob.join("bob")["did"])
        did = alice.join("alice")["did"]
        writes = [write("create", name, name) for name in ("one", "two")]
        alice.post(APPLY, {"repo": did, "writes": writes})
        reader.ask("start", key=key)
        until = time.monotonic() + 15
        while not (told := reader.ask("seen"))["errors"] and time.monotonic() < until:
            time.sleep(0.05)
        assert len(told["errors"]) == 1
        assert "Invalid signature on commit" in told["errors"][0]
        assert "create" not in {event["event"] for event in told["events"]}


def test_an_independent_client_does_its_whole_round(tmp_path: Path) -> None:
    with running(tmp_path / "pod") as pod, peer("atcute_client.mjs", pod.url) as client:

        def call(nsid: str, **given: Any) -> Any:
            return client.ask("call", nsid=f"com.atproto.{nsid}", **given)

        account = {"handle": "alice.test", "email": "alice@example.org", "password": PASSWORD}
        did = call("server.createAccount", input=account)["did"]
        signed_in = {"identifier": "alice.test", "password": PASSWORD}
        session = call("server.createSession", input=signed_in)
        client.ask("use", token=session["refreshJwt"])
        session = call("server.refreshSession", method="post")
        client.ask("use", token=session["accessJwt"])
        assert call("server.getSession")["did"] == did

        image = picture("red")
        blob = call("repo.uploadBlob", body=b64encode(image).decode(), mimeType="image/png")["blob"]
        pictured = note("pictured", POST) | {
            "embed": {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": "red"}]}
        }
        posts, where = ({"repo": did, "collection": name} for name in (POST, NOTE))
        made = call("repo.createRecord", input=posts | {"record": pictured})
        cid = blob["ref"]["$link"]
        assert b64decode(call("sync.getBlob", params={"did": did, "cid": cid}, **BYTES)) == image
        seen = call("repo.getRecord", params=posts | {"rkey": made["uri"].rpartition("/")[2]})
        assert (seen["cid"], seen["value"]) == (made["cid"], pictured)

        call("repo.putRecord", input=where | {"rkey": "put", "record": note("put")})
        call("repo.putRecord", input=where | {"rkey": "put", "record": note("put again")})
        writes = [write("create", f"post{n:02d}", f"text {n}") for n in range(60)]
        call("repo.applyWrites", input={"repo": did, "writes": writes})
        call("repo.deleteRecord", input=where | {"rkey": "post07"})
        with pytest.raises(PeerRefused, match="RecordNotFound"):
            call("repo.getRecord", params=where | {"rkey": "post07"})
        stale = where | {"rkey": "put", "record": note("no"), "swapRecord": made["cid"]}
        with pytest.raises(PeerRefused, match="InvalidSwap"):
            call("repo.putRecord", input=stale)

        listed: list[str] = []
        page: dict[str, Any] = {}
        while page == {} or "cursor" in page:
            more = {"cursor": page["cursor"]} if page else {}
            page = call("repo.listRecords", params=where | {"limit": 25} | more)
            listed += [record["uri"].rpartition("/")[2] for record in page["records"]]
        assert len(listed) == 60
        assert listed == sorted(listed, reverse=True)

        records = client.ask("repo", did=did, key=key_of(f"{pod.address}/plc", did))
        paths = {f"{NOTE}/{rkey}" for rkey in listed} | {made["uri"].partition(f"{did}/")[2]}
        assert records.keys() == paths
        assert records[f"{NOTE}/put"]["record"]["text"] == "put again"

        client.ask("use", token=session["refreshJwt"])
        call("server.deleteSession", method="post", **NOTHING)
        with pytest.raises(PeerRefused, match="ExpiredToken"):
            call("server.refreshSession", method="post")


def test_an_independent_tree_inverts_every_commit(tmp_path: Path) -> None:
    with (
        running(tmp_path / "pod") as pod,
        peer("atcute_client.mjs", pod.url) as library,
        closing(Guest(pod)) as guest,
        firehose(pod, guest) as stream,
    ):
        alice = XrpcClient(pod.address)
        did = alice.join("alice")["did"]
        names = [f"post{n:03d}" for n in range(120)]
        rounds = [
            [write("create", "lone", "lone")],
            [write("create", name, name) for name in names],
            [write("update", name, "new") for name in names[10:40]],
            [write("delete", name) for name in names[20:90]],
            [
                write("delete", names[0]),
                write("create", "more", "more"),
                write("update", "lone", "x"),
            ],
            [write("delete", name) for name in [*names[1:20], *names[90:], "more"]],
            [write("delete", "lone")],
            [write("create", "again", "again")],
        ]
        for writes in rounds:
            last = alice.post(APPLY, {"repo": did, "writes": writes})
        stream.until(lambda event: event.get("rev") == last["commit"]["rev"])
        commits = [event for event in stream.events if event.get("ops")]
        assert len(commits) == len(rounds)
        key = key_of(f"{pod.address}/plc", did)
        for commit in commits:
            ops = [{name: text(op.get(name)) for name in OP} for op in commit["ops"]]
            car = b64encode(commit["blocks"]).decode()
            told = library.ask("invert", car=car, did=did, key=key, ops=ops)
            assert (told["rev"], told["before"]) == (commit["rev"], text(commit["prevData"]))
        forged = [ops[0] | {"path": f"{NOTE}/other"}]
        with pytest.raises(PeerRefused, match="in the tree and"):
            library.ask("invert", car=car, did=did, key=key, ops=forged)
