"""One member's data through all three networks, each step made by software that is not ours."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from atproto import CAR, FirehoseSubscribeReposClient, client_utils, models
from atproto import parse_subscribe_repos_message as parse_message
from rdflib import RDF, Graph, URIRef
from rdflib.compare import isomorphic

from tests.kit.node import node_binary, peers_folder
from tests.kit.story import ALT, PASSWORD, POSTS, SIZE, Post, Stage, picture, stage, until

pytestmark = [
    pytest.mark.peer,
    # The Python SDK uploads blobs in a way that its HTTP client has come to frown upon.
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
    # rdflib parses JSON-LD by a class of its own that it has come to frown upon.
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning"),
]

TEXT = "Hello @bob.test, see https://example.org/garden and enjoy."
LINK = "https://example.org/garden"
AS = "https://www.w3.org/ns/activitystreams#"
ARTICLE_BODY = "https://schema.org/articleBody"


@pytest.fixture(scope="module", params=["hypercorn", "uvicorn"])
def on(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The stage, shared by all steps; each step writes posts of its own."""
    node_binary(), peers_folder()
    if request.param != "hypercorn":
        pytest.importorskip(request.param, reason="uvicorn is not installed: it is an extra")
    with stage(tmp_path_factory.mktemp("story"), "--server", request.param) as everybody:
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
    bob = on.guest.xrpc("com.atproto.identity.resolveHandle", handle="bob.test")["did"]
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
        assert on.guest.get(shown["url"], "*/*").content == picture("red")


def totals(on: Stage, post: Post) -> dict[str, int]:
    """How many replies, likes and shares the pod counts."""
    return {
        name: on.guest.activity(f"{post.url}?c={name}")["totalItems"]
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
    listed = on.guest.activity(f"{post.url}?c=replies")
    first = listed["first"] if isinstance(listed.get("first"), dict) else listed
    assert sorted(first["items"]) == sorted(replies)

    on.fediverse[0].peer.ask("undo", id=likes[0])
    on.fediverse[1].peer.ask("delete", id=replies[1])
    until(lambda: totals(on, post) == {"replies": 1, "likes": 1, "shares": 2} or None)


def test_a_fediverse_server_walks_outbox_followers_and_replies(on: Stage) -> None:
    post = on.post("Walk this way.")
    first, second = on.fediverse
    reply = first.peer.ask("reply", object=post.url, text="<p>That way?</p>")
    until(lambda: totals(on, post)["replies"] == 1 or None)
    alice = on.pod.origin("alice")
    replies = second.peer.ask("walk", url=f"{post.url}?c=replies")
    assert [(item["type"], item["id"]) for item in replies] == [("Note", reply)]
    outbox = second.peer.ask("walk", url=f"{alice}/outbox")
    assert (outbox[0]["type"], outbox[0]["object"]) == ("Create", post.url)
    followers = second.peer.ask("walk", url=f"{alice}/followers")
    actors = {server.peer.ready["actor"] for server in on.fediverse}
    assert actors <= {item["id"] for item in followers}
    assert second.peer.ask("walk", url=f"{alice}/following") == []


def test_neighbours_on_the_pod_count_as_much_as_strangers(on: Stage) -> None:
    post = on.post("Neighbours, too?")
    ref = models.ComAtprotoRepoStrongRef.Main(uri=post.uri, cid=post.cid)
    on.carol.login("carol.test", PASSWORD)
    on.carol.like(post.uri, post.cid)
    on.carol.repost(post.uri, post.cid)
    answer = models.AppBskyFeedPost.ReplyRef(root=ref, parent=ref)
    reply = on.carol.send_post("Of course.", reply_to=answer)
    until(lambda: totals(on, post) == {"replies": 1, "likes": 1, "shares": 1} or None)
    on.carol.delete_post(reply.uri)
    until(lambda: totals(on, post) == {"replies": 0, "likes": 1, "shares": 1} or None)


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
            key=on.guest.signing_key(event["repo"]),
            ops=[
                {k: v if isinstance(v, str) or v is None else v.encode() for k, v in op.items()}
                for op in event["ops"]
            ],
            prevData=event["prevData"].encode() if "prevData" in event else None,
        )
    for did, state in on.firehose.relay.repos.items():
        car = on.alice.ask("call", nsid="com.atproto.sync.getRepo", params={"did": did})
        export = on.library.ask("repo", car=car, did=did, key=on.guest.signing_key(did))
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


def graph_of(on: Stage, url: str, media_type: str) -> Graph:
    """What a URL says in one RDF format, parsed by rdflib."""
    answer = on.guest.get(url, media_type)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(media_type)
    return Graph().parse(data=answer.content, format=media_type, publicID=url)


def facts(graph: Graph, subject: str) -> dict[str, set[str]]:
    """The properties of one thing with their values as text."""
    found: dict[str, set[str]] = {}
    for predicate, value in graph.predicate_objects(URIRef(subject)):
        found.setdefault(str(predicate), set()).add(str(value))
    return found


def facts_of_app(on: Stage, url: str, thing: str) -> dict[str, set[str]]:
    """The same, as the Solid app reads it: strings and links, which are all it is asked for."""
    read = on.solid.ask("read", url=url, thing=thing)
    return {
        name: {text for text in (value["plain"], *value["urls"]) if text is not None}
        | {text for texts in value["localised"].values() for text in texts}
        for name, value in read.items()
    }


def test_turtle_and_json_ld_of_one_url_say_the_same_as_the_record(on: Stage) -> None:
    post = on.post(TEXT, colour="blue")
    record = on.record(post)["value"]
    turtle = graph_of(on, post.url, "text/turtle")
    assert isomorphic(turtle, graph_of(on, post.url, "application/ld+json"))

    [attached] = facts(turtle, post.url)[f"{AS}attachment"]
    for thing in (post.url, attached):
        told = facts(turtle, thing)
        for name, values in facts_of_app(on, post.url, thing).items():
            assert values <= told[name], name
            assert not values or values == told[name], name
    note = facts_of_app(on, post.url, post.url)
    assert note[ARTICLE_BODY] == {record["text"]} == {TEXT}
    assert f"{AS}Note" in note[str(RDF.type)]
    assert on.solid.ask("read", url=post.url)[ARTICLE_BODY]["localised"] == {"en": [TEXT]}
    assert f'href="{LINK}"' in note[f"{AS}content"].pop()
    assert f"{on.pod.origin('bob')}/me" in note[f"{AS}cc"]
    assert facts_of_app(on, post.url, attached)[f"{AS}name"] == {ALT}
    assert b64decode(on.solid.ask("getFile", url=attached)) == picture("blue")


def patch(on: Stage, url: str, n3: str) -> None:
    """Send an N3 Patch with the token of alice."""
    prefix = "@prefix solid: <http://www.w3.org/ns/solid/terms#>."
    body = f"{prefix}\n_:p a solid:InsertDeletePatch;\n{n3}."
    answer = on.solid.ask(
        "send", url=url, method="PATCH", headers={"content-type": "text/n3"}, body=body
    )
    assert answer["status"] in (200, 204), answer


def reword_by_n3_patch(on: Stage, url: str, text: str) -> None:
    patch(
        on,
        url,
        f'solid:deletes {{ <{url}> <{ARTICLE_BODY}> "{TEXT}"@en }};'
        f'solid:inserts {{ <{url}> <{ARTICLE_BODY}> "{text}"@en }}',
    )


def reword_by_solid_app(on: Stage, url: str, text: str) -> None:
    said = on.solid.ask("setString", url=url, property=ARTICLE_BODY, value=text, locale="en")
    assert said == text


@pytest.mark.parametrize("reword", [reword_by_n3_patch, reword_by_solid_app])
def test_a_solid_app_changes_the_text_and_nothing_else(on: Stage, reword: Any) -> None:
    post = on.post(TEXT, colour="green")
    held = on.record(post)["value"]
    held["org.example.mood"] = {"sunny": True, "birds": ["robin", "wren"]}
    put = {"repo": on.did, "collection": POSTS, "rkey": post.rkey, "record": held}
    before = on.alice.ask("call", nsid="com.atproto.repo.putRecord", data=put)["cid"]
    on.firehose.op("update", post.path)
    for server in on.fediverse:
        server.wait("Update", post.url)

    patch(on, post.url, f"solid:inserts {{ <{post.url}> <https://example.org/rating> 5 }}")
    assert on.record(post)["cid"] == before

    text = TEXT.replace("enjoy", "bring tea")
    reword(on, post.url, text)
    found = on.record(post)
    assert found["cid"] != before
    assert found["value"] == held | {"text": text}

    for server in on.fediverse:
        until(lambda server=server: len(server.heard("Update", post.url)) > 1 or None)
    on.settle()
    _, edit = [op for op in on.firehose.of_path(post.path) if op["action"] == "update"]
    assert (edit["prev"].encode(), edit["cid"].encode()) == (before, found["cid"])
    for server in on.fediverse:
        original = server.wait("Create", post.url)["shows"]
        _, update = server.heard("Update", post.url)
        assert "bring tea" in update["shows"]["content"]
        for kept in ("id", "attachments", "tags"):
            assert update["shows"][kept] == original[kept]
    graph = graph_of(on, post.url, "text/turtle")
    assert facts(graph, post.url)["https://example.org/rating"] == {"5"}
    assert facts(graph, post.url)[ARTICLE_BODY] == {text}


def test_a_turtle_note_becomes_a_post_and_a_note_in_the_fediverse(on: Stage) -> None:
    words = "Written in Turtle, read everywhere."
    answer = on.solid.ask(
        "send",
        url=f"{on.pod.origin('alice')}/repo/{POSTS}/",
        method="POST",
        headers={"content-type": "text/turtle"},
        body=f'@prefix as: <{AS}>. <> a as:Note; as:content "<p>{words}</p>"@en.',
    )
    assert answer["status"] == 201, answer
    url = answer["headers"]["location"]
    rkey = url.rpartition("/")[2]
    op = on.firehose.op("create", f"{POSTS}/{rkey}")
    post = Post(f"at://{on.did}/{POSTS}/{rkey}", op["cid"].encode(), on.pod)
    assert post.url == url
    record = on.record(post)["value"]
    on.alice.ask("validatePost", record=record)
    models.get_or_create(record, models.AppBskyFeedPost.Record, strict=True)
    assert (record["$type"], record["text"], record["langs"]) == (POSTS, words, ["en"])
    for server in on.fediverse:
        note = server.wait("Create", url)["shows"]
        assert (note["type"], note["content"]) == ("Note", f"<p>{words}</p>")


def test_a_document_in_data_appears_nowhere_else(on: Stage) -> None:
    secret = "The key is under the third flowerpot."
    url = on.solid.ask(
        "create",
        url=f"{on.pod.origin('alice')}/data/diary",
        properties={"https://schema.org/text": secret},
    )
    assert on.solid.ask("read", url=url)["https://schema.org/text"]["plain"] == secret
    assert on.guest.get(url, "text/turtle").status_code == 401
    on.settle()
    assert not any(b"flowerpot" in frame or b"diary" in frame for frame in on.firehose.frames)
    assert not any(s.knows_of("flowerpot") or s.knows_of("diary") for s in on.fediverse)
    outbox = on.guest.activity(f"{on.pod.origin('alice')}/outbox?page=")
    assert outbox["orderedItems"]
    assert "diary" not in json.dumps(outbox)
    described = on.guest.xrpc("com.atproto.repo.describeRepo", repo=on.did)
    assert described["collections"] == [POSTS]
    for collection in described["collections"]:
        listed = on.guest.xrpc(
            "com.atproto.repo.listRecords", repo=on.did, collection=collection, limit=100
        )
        assert "flowerpot" not in json.dumps(listed)
    on.solid.ask("deleteFile", url=url)
    assert on.guest.get(url, "text/turtle").status_code in (401, 404, 410)


def gone_everywhere(on: Stage, post: Post) -> None:
    """A deletion as each network tells of it."""
    (op,) = [op for op in on.firehose.of_path(post.path) if op["action"] == "delete"]
    assert op["cid"] is None
    assert op["prev"].encode() == post.cid
    for server in on.fediverse:
        farewell = server.wait("Delete", post.url)
        buried = farewell["document"]["object"]
        assert (buried["id"], buried["type"]) == (post.url, "Tombstone")
    tomb = on.guest.get(post.url, "application/activity+json")
    assert (tomb.status_code, tomb.json()["type"]) == (410, "Tombstone")
    for accept in ("text/html", "text/turtle", "application/ld+json", "application/json", "*/*"):
        assert on.guest.get(post.url, accept).status_code in (404, 410)
    gone = on.guest.send(
        "GET",
        f"{on.pod.url}/xrpc/com.atproto.repo.getRecord?repo={on.did}"
        f"&collection={POSTS}&rkey={post.rkey}",
    )
    assert (gone.status_code, gone.json()["error"]) == (400, "RecordNotFound")
    listed = on.guest.xrpc("com.atproto.repo.listRecords", repo=on.did, collection=POSTS, limit=100)
    assert post.uri not in [record["uri"] for record in listed["records"]]


def delete_by_official_client(on: Stage, post: Post) -> None:
    on.alice.ask("deletePost", uri=post.uri)


def delete_by_solid_app(on: Stage, post: Post) -> None:
    on.solid.ask("deleteFile", url=post.url)


def delete_by_activitypub_client(on: Stage, post: Post) -> None:
    actor, client = f"{on.pod.origin('alice')}/me", on.fediverse[0].peer
    assert client.ask("author", actor=actor, object=post.url, token="wrong") == 401
    assert client.ask("author", actor=actor, object=post.url, token=on.token) in (200, 201)


@pytest.mark.parametrize(
    "delete", [delete_by_official_client, delete_by_solid_app, delete_by_activitypub_client]
)
def test_what_any_of_the_three_deletes_is_gone_everywhere(on: Stage, delete: Any) -> None:
    post = on.post("A slip of the tongue.")
    for server in on.fediverse:
        server.wait("Create", post.url)
    delete(on, post)
    on.firehose.op("delete", post.path)
    gone_everywhere(on, post)


def test_a_record_key_that_lives_again_is_another_object_in_the_fediverse(on: Stage) -> None:
    first = on.post("The first life.")
    on.alice.ask("deletePost", uri=first.uri)
    second = {"$type": POSTS, "text": "The second life.", "createdAt": "2026-11-24T12:00:00.000Z"}
    new = {"repo": on.did, "collection": POSTS, "rkey": first.rkey, "record": second}
    on.alice.ask("call", nsid="com.atproto.repo.createRecord", data=new)
    url = f"{first.url};g2"
    for server in on.fediverse:
        assert server.wait("Create", url)["shows"]["id"] == url
        server.peer.ask("like", object=url)
    until(lambda: on.guest.activity(f"{url}?c=likes")["totalItems"] == len(on.fediverse) or None)
    assert on.guest.get(first.url, "application/activity+json").status_code == 410
    assert "The second life." in on.guest.get(url, "text/turtle").text
    assert "The second life." in on.guest.get(url, "text/html").text
