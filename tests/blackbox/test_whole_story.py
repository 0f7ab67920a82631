"""One member's data through all three networks, each step made by software that is not ours."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from atproto import CAR, FirehoseSubscribeReposClient, client_utils, models
from atproto import parse_subscribe_repos_message as parse_message

from tests.kit.node import node_binary, peers_folder
from tests.kit.story import ALT, PASSWORD, POSTS, SIZE, Post, Stage, picture, stage, until

pytestmark = [
    pytest.mark.peer,
    # The Python SDK uploads blobs in a way that its HTTP client has come to frown upon.
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
]

TEXT = "Hello @bob.test, see https://example.org/garden and enjoy."
LINK = "https://example.org/garden"


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The stage, shared by all steps; each step writes posts of its own."""
    node_binary(), peers_folder()
    with stage(tmp_path_factory.mktemp("story")) as everybody:
        yield everybody


def facet_words(record: dict[str, Any]) -> dict[str, str]:
    """What each facet of a record marks: the words by the target."""
    text = record["text"].encode()
    return {
        feature.get("did") or feature["uri"]: text[
            facet["index"]["byteStart"] : facet["index"]["byteEnd"]
        ].decode()
        for facet in record["facets"]
        for feature in facet["features"]
    }


def post_by_official_client(on: Stage) -> Post:
    return on.post(TEXT, colour="red")


def post_by_python_client(on: Stage) -> Post:
    carol = on.carol
    carol.login("carol.test", PASSWORD)
    bob = carol.resolve_handle("bob.test").did
    words = client_utils.TextBuilder().text("Hello ").mention("@bob.test", bob)
    words.text(", see ").link(LINK, LINK).text(" and enjoy.")
    width, height = SIZE
    made = carol.send_image(
        words,
        picture("red"),
        ALT,
        langs=["en"],
        image_aspect_ratio=models.AppBskyEmbedDefs.AspectRatio(width=width, height=height),
    )
    return Post(made.uri, made.cid, on.pod, "carol")


@pytest.mark.parametrize("write", [post_by_official_client, post_by_python_client])
def test_a_post_of_an_atproto_client_is_held_and_shown_by_fediverse_servers(
    on: Stage, write: Any
) -> None:
    bob = on.visitor.xrpc("com.atproto.identity.resolveHandle", handle="bob.test")["did"]
    post = write(on)

    found = on.record(post)
    record = found["value"]
    assert found["cid"] == post.cid
    assert record["text"] == TEXT
    assert record["langs"] == ["en"]
    assert facet_words(record) == {bob: "@bob.test", LINK: LINK}
    (image,) = record["embed"]["images"]
    assert image["alt"] == ALT
    blob = on.alice.ask(
        "call",
        nsid="com.atproto.sync.getBlob",
        params={"did": post.uri.split("/")[2], "cid": image["image"]["ref"]["$link"]},
    )
    assert b64decode(blob) == picture("red")

    for server in on.fediverse:
        note = server.wait("Create", post.url)["shows"]
        actor = f"{on.pod.origin('bob')}/me"
        assert note["type"] == "Note"
        assert "and enjoy." in note["content"]
        assert f'href="{LINK}"' in note["content"]
        assert f'href="{actor}"' in note["content"]
        assert {"text": note["content"], "language": "en"} in note["contents"]
        assert [(tag["type"], tag["href"]) for tag in note["tags"]] == [("Mention", actor)]
        (shown,) = note["attachments"]
        assert (shown["alt"], shown["mediaType"]) == (ALT, "image/png")
        assert (shown["width"], shown["height"]) == SIZE
        assert on.visitor.get(shown["url"], "*/*").content == picture("red")


def totals(on: Stage, post: Post) -> dict[str, int]:
    """How many replies, likes and shares the pod counts."""
    return {
        name: on.visitor.activity(f"{post.url}?c={name}")["totalItems"]
        for name in ("replies", "likes", "shares")
    }


def test_replies_likes_and_boosts_arrive_and_can_be_taken_back(on: Stage) -> None:
    post = on.post("Who is coming to the garden?")
    replies, likes = [], []
    for server in on.fediverse:
        server.wait("Create", post.url)
        replies.append(server.peer.ask("reply", object=post.url, text="<p>Me!</p>"))
        likes.append(server.peer.ask("like", object=post.url))
        server.peer.ask("announce", object=post.url)
    until(lambda: totals(on, post) == {"replies": 2, "likes": 2, "shares": 2} or None)
    listed = on.visitor.activity(f"{post.url}?c=replies")
    first = listed["first"] if isinstance(listed.get("first"), dict) else listed
    assert sorted(first["items"]) == sorted(replies)

    on.fediverse[0].peer.ask("undo", id=likes[0])
    on.fediverse[1].peer.ask("delete", id=replies[1])
    until(lambda: totals(on, post) == {"replies": 1, "likes": 1, "shares": 2} or None)


@pytest.mark.parametrize("server", [0, 1], ids=["rfc9421", "cavage"])
@pytest.mark.parametrize("inbox", ["own", "shared"])
def test_forged_and_unsigned_activities_leave_no_trace(on: Stage, server: int, inbox: str) -> None:
    post = on.post("Only signed hearts count.")
    liar = on.fediverse[server].peer
    actor = liar.ready["actor"]
    other = on.fediverse[1 - server].peer.ready["actor"]
    where = f"{on.pod.origin('alice') if inbox == 'own' else on.pod.url}/inbox/"

    def like(number: int, by: str = actor) -> dict[str, Any]:
        return {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{by}/forged/{post.rkey}/{number}",
            "type": "Like",
            "actor": by,
            "object": post.url,
        }

    forgeries: list[dict[str, Any]] = [
        {"activity": like(1)},
        {"activity": like(2), "sign": "stranger"},
        {"activity": like(3), "sign": "own", "tamper": like(4)},
        {"activity": like(5, other), "sign": "own"},
        {"activity": like(6) | {"id": f"{other}/forged/6"}, "sign": "own"},
    ]
    for forgery in forgeries:
        assert liar.ask("forge", inbox=where, **forgery) in (400, 401, 403)
    assert totals(on, post)["likes"] == 0

    assert liar.ask("forge", inbox=where, activity=like(7), sign="own") in (200, 202)
    until(lambda: totals(on, post)["likes"] == 1 or None)


def test_every_frame_satisfies_the_strict_relay_and_the_reference_library(on: Stage) -> None:
    on.settle()
    commits = [event for event in list(on.firehose.events) if event.get("ops")]
    for event in commits:
        on.library.ask(
            "commit",
            car=b64encode(event["blocks"]).decode(),
            did=event["repo"],
            key=on.visitor.signing_key(event["repo"]),
            ops=[
                {k: v if isinstance(v, str) or v is None else v.encode() for k, v in op.items()}
                for op in event["ops"]
            ],
            prevData=event["prevData"].encode() if "prevData" in event else None,
        )
    for did, state in on.firehose.relay.repos.items():
        car = on.alice.ask("call", nsid="com.atproto.sync.getRepo", params={"did": did})
        export = on.library.ask("repo", car=car, did=did, key=on.visitor.signing_key(did))
        assert export["rev"] == state.rev
        assert {f"{w['collection']}/{w['rkey']}" for w in export["creates"]} == set(state.records)


def test_the_firehose_client_of_the_python_sdk_reads_every_commit(on: Stage) -> None:
    on.settle()
    expected = [event["seq"] for event in list(on.firehose.events)]
    client = FirehoseSubscribeReposClient(
        params={"cursor": 0}, base_uri=f"ws://127.0.0.1:{on.pod.port}/xrpc", recv_timeout=10
    )
    seen: list[int] = []

    def read(message: Any) -> None:
        event = parse_message(message)
        seen.append(event.seq)
        if isinstance(event, models.ComAtprotoSyncSubscribeRepos.Commit):
            blocks = CAR.from_bytes(event.blocks).blocks
            assert event.commit in blocks
            assert all(op.cid in blocks for op in event.ops if op.cid is not None)
        if event.seq == expected[-1]:
            client.stop()

    client.start(read)
    assert seen == expected


def gone_everywhere(on: Stage, post: Post) -> None:
    """A deletion as each network tells of it."""
    (op,) = [op for op in on.firehose.of_path(post.path) if op["action"] == "delete"]
    assert op["cid"] is None
    assert op["prev"].encode() == post.cid
    for server in on.fediverse:
        farewell = server.wait("Delete", post.url)
        buried = farewell["document"]["object"]
        assert (buried["id"], buried["type"]) == (post.url, "Tombstone")
    tomb = on.visitor.get(post.url, "application/activity+json")
    assert (tomb.status_code, tomb.json()["type"]) == (410, "Tombstone")
    for accept in ("text/html", "text/turtle", "application/ld+json", "application/json", "*/*"):
        assert on.visitor.get(post.url, accept).status_code in (404, 410)
    gone = on.visitor.send(
        "GET",
        f"{on.pod.url}/xrpc/com.atproto.repo.getRecord?repo={on.did}"
        f"&collection={POSTS}&rkey={post.rkey}",
    )
    assert (gone.status_code, gone.json()["error"]) == (400, "RecordNotFound")
    listed = on.visitor.xrpc(
        "com.atproto.repo.listRecords", repo=on.did, collection=POSTS, limit=100
    )
    assert post.uri not in [record["uri"] for record in listed["records"]]


def test_what_the_official_client_deletes_is_gone_everywhere(on: Stage) -> None:
    post = on.post("A slip of the tongue.")
    for server in on.fediverse:
        server.wait("Create", post.url)
    on.alice.ask("deletePost", uri=post.uri)
    on.firehose.op("delete", post.path)
    gone_everywhere(on, post)
