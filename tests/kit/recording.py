"""The acquaintance of a real peer and a member, recorded raw from the wire, and played again.

A recording is JSON: the origin of the pod, the member and the post that it is about, the documents
that the peer would give, and its requests with the step of the story that each belongs to.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from pod.model.ids import Rkey
from pod.model.member import Member
from tests.kit.fediverse import FediPod, Peer, fedi_pod
from tests.kit.wiretap import Overheard

RECORDED: Final = Path(__file__).parents[1] / "wire" / "activitypub" / "recorded"
KEY: Final = "3mteeeeeeee2e"
STEPS: Final = {
    "follow": "Follow", "create": "Create", "update": "Update", "like": "Like", "unlike": "Undo",
    "announce": "Announce", "unannounce": "Undo", "delete": "Delete", "unfollow": "Undo",
}  # fmt: skip
"""The story, each step with the type of its activity; a peer may say more, which does nothing."""
Recording = dict[str, Any]


def recorded(
    peer: str,
    origin: str,
    requests: Iterable[Overheard],
    documents: dict[str, Any],
    by_step: dict[str, dict[str, Any]],
) -> Recording:
    """A recording of what a peer posted to inboxes of the pod.

    ``by_step`` has the documents that a step's activities only name, as they were then.
    """
    return {
        "peer": peer,
        "origin": origin,
        "documents": documents,
        "requests": [
            {
                "step": each.step if is_of_step(each) else "besides",
                "at": each.at.isoformat(),
                "target": each.target,
                "headers": each.headers,
                "body": each.body.decode(),
                "documents": by_step.get(each.step, {}),
            }
            for each in requests
            if each.method == "POST" and each.target.startswith("/inbox") and each.step in STEPS
        ],
    }


def is_of_step(request: Overheard) -> bool:
    """Whether a request was taken, and is the activity of its step."""
    if request.method != "POST" or request.status != 202:
        return False
    return bool(json.loads(request.body).get("type") == STEPS.get(request.step))


def document(url: str) -> Any:
    """What a peer on loopback gives to anybody for a URL; a status where it gives nothing."""
    asked = urllib.request.Request(url, headers={"Accept": "application/activity+json"})
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code


async def play(folder: Path, recording: Recording) -> None:
    """Play a recording to a fresh pod: each step does what it should, and does it once.

    Raises AssertionError with the step that failed.
    """
    async with fedi_pod(folder, origin=recording["origin"]) as pod:
        alice = await pod.member()
        await pod.record(
            alice,
            "app.bsky.feed.post",
            {"text": "Hello", "createdAt": "2026-11-24T12:00:00.000Z"},
            rkey=Rkey(KEY),
        )
        (first, *_) = recording["documents"]
        parts = urlsplit(first)
        origin = f"{parts.scheme}://{parts.netloc}"
        peer = Peer("recorded", origin, documents=dict(recording["documents"]))
        pod.network.add(peer)
        before = seen(pod, alice, origin)
        for request in recording["requests"]:
            peer.documents |= request["documents"]
            await _step(pod, alice, origin, request)
        await pod.wing.flush()
        told = {request["step"] for request in recording["requests"]}
        assert told >= {"follow", "create", "like", "announce"}, told
        assert seen(pod, alice, origin) == before, "something is left when all was taken back"
        accepts = [each for each in peer.activities if each["type"] == "Accept"]
        follows = [r for r in recording["requests"] if r["step"] == "follow"]
        assert accepts[0]["object"]["id"] == orjson.loads(follows[0]["body"])["id"]


async def _step(pod: FediPod, alice: Member, origin: str, request: dict[str, Any]) -> None:
    step = request["step"]
    pod.clock.at = datetime.fromisoformat(request["at"])
    before = seen(pod, alice, origin)
    spoiled = request["body"].replace('"type"', '"typo"', 1)
    assert await _post(pod, request, spoiled) in (400, 401), (step, "spoiled")
    assert seen(pod, alice, origin) == before, (step, "spoiled")
    assert await _post(pod, request, request["body"]) == 202, step
    after = seen(pod, alice, origin)
    assert EXPECTED[step](before, after), (step, before, after)
    assert await _post(pod, request, request["body"]) == 202, (step, "again")
    assert seen(pod, alice, origin) == after, (step, "again")
    pod.clock.at += timedelta(hours=14)
    assert await _post(pod, request, request["body"]) == 401, (step, "a day later")


async def _post(pod: FediPod, request: dict[str, Any], body: str) -> int:
    headers = [
        (name, value)
        for name, value in request["headers"]
        if name.lower() not in ("content-length", "transfer-encoding", "connection")
    ]
    answer = await pod.client.post(request["target"], data=body.encode(), headers=headers)
    return int(answer.status_code)


def seen(pod: FediPod, alice: Member, origin: str) -> dict[str, Any]:
    """What of the acquaintance stands."""
    path = alice.path(f"{alice.origin}/repo/app.bsky.feed.post/{KEY}")
    assert path is not None
    held = pod.store.resources(alice.id, "/inbox/", after=None, limit=9)
    return {
        "followers": sum(origin in each for each in pod.followers.inboxes(alice.id)),
        "like": pod.edges.count(alice.id, path, "like"),
        "announce": pod.edges.count(alice.id, path, "announce"),
        "replies": [orjson.loads(item.body)["content"] for item in held],
    }


def _counts(key: str, number: int) -> Callable[[dict[str, Any], dict[str, Any]], bool]:
    return lambda before, after: after == before | {key: number}


EXPECTED: Final[dict[str, Callable[[dict[str, Any], dict[str, Any]], bool]]] = {
    "follow": _counts("followers", 1),
    "unfollow": _counts("followers", 0),
    "like": _counts("like", 1),
    "unlike": _counts("like", 0),
    "announce": _counts("announce", 1),
    "unannounce": _counts("announce", 0),
    "create": lambda _, after: len(after["replies"]) == 1 and "first" in after["replies"][0],
    "update": lambda _, after: len(after["replies"]) == 1 and "second" in after["replies"][0],
    "delete": lambda _, after: after["replies"] == [],
    "besides": lambda before, after: before == after,
}


def write(name: str, recording: Recording) -> Path:
    """Keep a recording for the tests of every day."""
    path = RECORDED / f"{name}.json"
    path.write_text(json.dumps(recording, indent=1, ensure_ascii=False) + "\n")
    return path
