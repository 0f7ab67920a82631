"""Each peer's own way to write and sign a request: understood, and acted on.

These were written by us, after the peers' serialisers and documentation; what peers really sent is
in `test_recorded.py` and, for many more, in `tests.peers.dialects`. They are kept for their
signatures: what is covered, in which order, by which algorithm.

A file holds an actor, how requests are signed (scheme, what is covered, in which order, other
headers) and the life of one acquaintance. ``{peer}``, ``{alice}``, ``{post}`` and ``{pem}`` stand
for what is made anew in every run; the signatures are real.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from pod.model.member import Member
from tests.kit.fediverse import TYPE, FediPod, Peer

Story = Callable[[FediPod, Member, Peer], Awaitable[None]]
FOLDER = Path(__file__).parent / "dialects"
DIALECTS = sorted(path.stem for path in FOLDER.glob("*.json"))
PEER = "http://dialect.test"


def filled(value: Any, words: dict[str, str]) -> Any:
    """A value of a file with its words put in."""
    if isinstance(value, dict):
        return {filled(key, words): filled(item, words) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, words) for item in value]
    if isinstance(value, str):
        for name, word in words.items():
            value = value.replace("{" + name + "}", word)
    return value


def signed(pod: FediPod, peer: Peer, how: dict[str, Any], key_id: str, body: bytes) -> Any:
    """Headers of a POST to the shared inbox, signed as the dialect does."""
    url = f"{pod.settings.origin}/inbox"
    parts, now = urlsplit(url), pod.clock.now()
    digest = b64encode(hashlib.sha256(body).digest()).decode()
    headers = {
        "Host": parts.netloc, "Date": format_datetime(now, usegmt=True), "Content-Type": TYPE,
        "Content-Length": str(len(body)), **how["headers"],
    }  # fmt: skip
    is_modern = how["scheme"] == "rfc9421"
    headers |= {"Content-Digest": f"sha-256=:{digest}:"} if is_modern else {}
    headers |= {} if is_modern else {"Digest": f"SHA-256={digest}"}
    values = {name.lower(): value for name, value in headers.items()} | {
        "(request-target)": f"post {parts.path}", "@method": "POST", "@target-uri": url,
        "@authority": parts.netloc, "@path": parts.path,
    }  # fmt: skip
    covered = how["covered"]
    if is_modern:
        listed = " ".join(f'"{name}"' for name in covered)
        params = f'({listed});alg="rsa-v1_5-sha256";keyid="{key_id}";created={int(now.timestamp())}'
        lines = [f'"{name}": {values[name]}' for name in covered]
        base = "\n".join([*lines, f'"@signature-params": {params}'])
        signature = b64encode(peer.sign(base.encode())).decode()
        return headers | {"Signature-Input": f"sig1={params}", "Signature": f"sig1=:{signature}:"}
    base = "\n".join(f"{name}: {values[name]}" for name in covered)
    signature = b64encode(peer.sign(base.encode())).decode()
    algorithm = how["algorithm"]
    return headers | {
        "Signature": f'keyId="{key_id}",algorithm="{algorithm}",'
        f'headers="{" ".join(covered)}",signature="{signature}"'
    }


def shown(pod: FediPod, alice: Member, post: str) -> dict[str, Any]:
    """What of the acquaintance stands at the moment."""
    path = alice.path(post)
    assert path is not None
    held = pod.store.resources(alice.id, "/inbox/", after=None, limit=9)
    return {
        "followers": sum(PEER in each for each in pod.followers.inboxes(alice.id)),
        "like": pod.edges.count(alice.id, path, "like"),
        "announce": pod.edges.count(alice.id, path, "announce"),
        "replies": [orjson.loads(item.body)["content"] for item in held],
    }


def expected(what: str, before: dict[str, Any]) -> dict[str, Any]:
    """What stands after an activity."""
    match what:
        case "follow" | "unfollow":
            return before | {"followers": int(what == "follow")}
        case "like" | "unlike" | "announce" | "unannounce":
            return before | {what.removeprefix("un"): int(not what.startswith("un"))}
        case "create":
            return before | {"replies": ["first"]}
        case "update":
            return before | {"replies": ["second"]}
        case _:
            return before | {"replies": []}


def without_tags(seen: dict[str, Any]) -> dict[str, Any]:
    """The same, with the words of replies alone."""
    words = [text.replace("<p>", "").replace("</p>", "").strip() for text in seen["replies"]]
    return seen | {"replies": words}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_dialect_is_understood(tell: Callable[[Story], None], dialect: str) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        post = alice.url((await pod.note(alice)).path)
        peer = pod.network.add(Peer("bob", PEER))
        pem = peer.actor()["publicKey"]["publicKeyPem"]
        words = {"peer": PEER, "alice": alice.webid, "post": post, "pem": pem}
        told = filled(json.loads((FOLDER / f"{dialect}.json").read_text()), words)
        actor = told["actor"]
        peer.documents = {actor["id"]: actor, **told.get("documents", {})}
        before = without_tags(shown(pod, alice, post))
        for what, activity in told["activities"]:
            pod.clock.pass_by(1)
            body = json.dumps(activity).encode()
            headers = signed(pod, peer, told["sign"], told["key_id"], body)
            response = await pod.client.post("/inbox", data=body, headers=headers)
            assert response.status_code == 202, (what, await response.get_data())
            after = without_tags(shown(pod, alice, post))
            assert after == expected(what, before), what
            before = after
        await pod.wing.flush()
        accepts = [activity for activity in peer.activities if activity["type"] == "Accept"]
        assert accepts[0]["object"]["id"] == dict(reversed(told["activities"]))["follow"]["id"]

    tell(story)


def test_there_is_a_file_for_each_dialect() -> None:
    assert DIALECTS == [
        "bonfire", "fedify", "friendica", "gotosocial", "lemmy", "mastodon", "misskey", "peertube",
        "pixelfed", "pleroma", "takahe", "wordpress",
    ]  # fmt: skip
