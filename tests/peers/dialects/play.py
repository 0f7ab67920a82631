"""Plays a recorded document to a pod, by the door that such a document comes by, and judges."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from tests.kit.fediverse import AS2
from tests.kit.stage import Stage
from tests.peers.dialects import compare, expected
from tests.peers.dialects.expected import ACTORS, POSTS, PUBLIC, address, author, many, types
from tests.peers.dialects.recorded import Document, Node

Outcome = Literal["understood", "ignored", "refused", "wrong"]
FORGED: Final = "F0RGED-W0RDS"
_WORDS: Final = ("content", "name", "summary", "contentMap")


@dataclass
class Verdict:
    """What became of a document."""

    outcome: Outcome
    reason: str = ""
    faults: list[str] = field(default_factory=list)

    @classmethod
    def by(cls, faults: list[str], reason: str) -> Verdict:
        """Understood, or wrong with all that is."""
        return cls("wrong" if faults else "understood", reason, faults)


Player = Callable[[Stage, Document], Awaitable[Verdict]]


async def actor(stage: Stage, document: Document) -> Verdict:
    """An actor is found by their id, shown, and followed: the wish reaches their inbox."""
    node = document.node
    stage.world.put(node)
    shown = await stage.find(document.id, "accounts")
    if shown is None:
        return await _not_found(stage, document, "inbox" in node, "an actor needs an inbox")
    faults = compare.person(expected.person(node), shown)
    key = stage.world.documents[document.id]["publicKey"]
    if key["owner"] != document.id:
        return Verdict("refused", "its key belongs to another actor", faults)
    if not str(key["id"]).startswith("http"):
        return Verdict("refused", "its key has no address", faults)
    if why := await stage.follow(document.id):
        faults.append(f"cannot be followed: {why}")
    elif stage.world.received[0][0] not in (node["inbox"], _shared_inbox(node)):
        faults.append(f"the follow went to {stage.world.received[0][0]}")
    return Verdict.by(faults + await _elsewhere(stage, node, "accounts"), "shown and followed")


async def post(stage: Stage, document: Document) -> Verdict:
    """A post is found by its id, as somebody's who pastes its address."""
    node = document.node
    stage.world.put(node)
    stage.world.need_actor(author(node))
    shown = await stage.find(document.id, "statuses")
    if shown is None:
        if expected.post(node).visibility in ("private", "direct"):
            return Verdict("refused", "it is not addressed to the public, nor to alice")
        is_post = bool(types(node) & POSTS)
        why = f"{_kind(node)} is no post" if not is_post else "its author is of another server"
        return await _not_found(stage, document, is_post and _is_own(node), why)
    faults = compare.post(expected.post(node), shown)
    return Verdict.by(faults + await _elsewhere(stage, node, "statuses"), "shown")


async def webfinger(stage: Stage, document: Document) -> Verdict:
    """The answer of a WebFinger leads to its actor."""
    names = [str(document.node["subject"]), *map(str, many(document.node.get("aliases")))]
    subject = next((name for name in names if name.startswith("acct:") and "@" in name), names[0])
    links = [link for link in document.node["links"] if link.get("rel") == "self"]
    href = next((link["href"] for link in links if "json" in str(link.get("type"))), None)
    if href is None:
        return Verdict("ignored", "it names no actor")
    stage.world.documents[subject] = document.node
    stage.world.need_actor(href)
    shown = await stage.find(subject, "accounts")
    if shown is None and "@" not in str(document.node["subject"]):
        return Verdict("refused", "its subject is no address")
    return Verdict.by([] if shown and shown["uri"] == href else ["nobody found"], "found")


async def read_only(stage: Stage, document: Document) -> Verdict:
    """What is neither actor nor post nor activity can be read by a member's client."""
    stage.world.put(document.node)
    reply = await stage.whole.send(
        "POST", "/proxyUrl", f"id={document.id.replace('&', '%26').replace('+', '%2B')}",
        host=urlsplit(stage.me).netloc, token=stage.alice.access,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    if reply.status == 200 and reply.json == stage.world.documents[document.id]:
        return Verdict("ignored", f"{_kind(document.node)}: given to clients that ask for it")
    return Verdict("wrong", "", [f"reading answered {reply.status} {reply.body[:99]!r}"])


async def create(stage: Stage, document: Document) -> Verdict:
    """A post comes from somebody whom alice follows; an answer or letter is one to alice."""
    node = addressed(document.node, stage)
    told = node.get("object")
    sender = address(node.get("actor"))
    stage.world.need_actor(sender)
    held = stage.world.documents.get(address(told))
    if not isinstance(told, dict) and not isinstance(held, dict):
        status, words = await stage.deliver(node)
        return _politely(status, words, "what it is about was not recorded")
    said: Node = told if isinstance(told, dict) else held or {}
    if _is_vote(said):
        return await _vote(stage, node, said)
    if types(said) & ACTORS:
        return await _actor_changed(stage, node, said)
    await stage.follow(sender)
    stage.world.documents[str(said.get("id"))] = {"@context": AS2, **said}
    forged = await forgeries(stage, node)
    status, words = await stage.deliver(node)
    if status != 202:
        return Verdict("refused", words)
    shown = await _shown(stage, str(said.get("id")))
    if shown is None and not types(said) & POSTS:
        return Verdict("ignored", f"{_kind(node)} of {_kind(said)}")
    if shown is None and (author(said) != sender or not _is_own(said)):
        return Verdict("refused", "the object is not the actor's own")
    if shown is None:
        return Verdict("wrong", "", ["it is not shown", *forged])
    return Verdict.by(compare.post(expected.post(said), shown) + forged, "shown")


async def _actor_changed(stage: Stage, node: Node, said: Node) -> Verdict:
    """Who changed is asked for anew, and shown as they are now."""
    iri = str(said.get("id"))
    if iri != address(node.get("actor")) or "inbox" not in said:
        status, words = await stage.deliver(node)
        return _politely(status, words, "what is changed is not the actor")
    whole = {"@context": AS2, **said}
    stage.world.put({**whole, "name": "before"})
    await stage.find(iri, "accounts")
    stage.world.put(whole)
    status, words = await stage.deliver(node)
    shown = await stage.find(iri, "accounts")
    if status != 202 or shown is None:
        return Verdict("refused", words)
    return Verdict.by(compare.person(expected.person(said), shown), "an actor changed")


async def _vote(stage: Stage, node: Node, said: Node) -> Verdict:
    """A vote is counted in a poll of alice's that has this choice."""
    made = await stage.phone.post(
        "/api/v1/statuses",
        {"status": "?", "poll": {"options": [said["name"], "other"], "expires_in": 3600}},
    )
    vote = {**said, "inReplyTo": made["uri"]}
    forged = await forgeries(stage, {**node, "object": vote})
    status, words = await stage.deliver({**node, "object": vote})
    if status != 202:
        return Verdict("refused", words)
    counted = stage.count("edge", "kind = 'vote'")
    return Verdict.by(forged + ([] if counted == 1 else [f"{counted} votes"]), "counted")


async def politely(stage: Stage, document: Document) -> Verdict:
    """An activity with nothing in it for a pod is taken with thanks."""
    node = addressed(document.node, stage)
    status, words = await stage.deliver(node)
    return _politely(status, words, f"{_kind(node)} means nothing here")


def _politely(status: int, words: str, reason: str) -> Verdict:
    if status == 202:
        return Verdict("ignored", reason)
    return Verdict("refused" if status < 500 else "wrong", words, [words] if status >= 500 else [])


def addressed(node: Node, stage: Stage) -> Node:
    """The activity with alice in the place of the recording server's own person.

    What it answers is her post; of a letter one recipient is she.
    """
    made = copy.deepcopy(node)
    inner = made.get("object")
    if isinstance(inner, dict) and inner.get("inReplyTo"):
        inner["inReplyTo"] = stage.post
    home = urlsplit(address(made.get("actor"))).netloc
    told = [address(each) for part in (made, inner) if isinstance(part, dict)
            for key in ("to", "cc") for each in many(part.get(key))]  # fmt: skip
    others = [each for each in told if each.startswith("http") and each not in PUBLIC
              and "follow" not in each]  # fmt: skip
    guest = next((each for each in others if urlsplit(each).netloc != home), None)
    is_letter = not set(told) & set(PUBLIC) and not any("follow" in each for each in told)
    if guest is None and is_letter and others:
        guest = others[0]
    return made if guest is None or guest == stage.me else _replaced(made, guest, stage.me)


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, old, new) for item in value]
    return new if value == old else value


async def _shown(stage: Stage, iri: str) -> Node | None:
    """A post in alice's home, or in her notices."""
    for each in await stage.phone.get("/api/v1/timelines/home"):
        if each["uri"] == iri:
            return dict(each)
    for notice in await stage.phone.get("/api/v1/notifications"):
        if notice.get("status") and notice["status"]["uri"] == iri:
            return dict(notice["status"])
    return None


async def signed_by_another(stage: Stage, node: Node) -> list[str]:
    """The same with other words, signed by another: nothing of it may be kept. What is wrong."""
    status, _ = await stage.deliver(forged(node), by=stage.world.key.id)
    is_bad = status >= 500 or await stage.holds(FORGED)
    return [f"forged by another's key: {status}"] if is_bad else []


async def forgeries(stage: Stage, node: Node) -> list[str]:
    """The same words by somebody else: nothing of them may be kept. What is wrong."""
    faults = await signed_by_another(stage, node)
    mallory, bad = stage.world.key.id, forged(node)
    own = {**bad, "id": f"{mallory}/1", "actor": mallory}
    status, _ = await stage.deliver(own)
    if status >= 500 or await stage.holds(FORGED):
        faults.append(f"forged in another's activity: {status}")
    foreign = {**own, "id": f"{mallory}/2"}
    if isinstance(foreign.get("object"), dict):
        foreign["object"] = {**foreign["object"], "attributedTo": mallory}
    status, _ = await stage.deliver(foreign)
    if status >= 500 or await stage.holds(FORGED):
        faults.append(f"forged under another's name: {status}")
    return faults


def forged(value: Any) -> Any:
    """The same with other words in it."""
    if isinstance(value, list):
        return [forged(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: FORGED if key in _WORDS and isinstance(item, str) else forged(item)
        for key, item in value.items()
    }


async def _elsewhere(stage: Stage, node: Node, kind: str) -> list[str]:
    """The same document, given out by another server: nothing is found there."""
    url = f"https://mallory.test/copies/{len(stage.world.documents)}"
    stage.world.documents[url] = forged(node)
    found = await stage.find(url, kind)
    if found is not None and FORGED in str(found):
        return ["believed of another server"]
    return ["kept of another server"] if await stage.holds(FORGED) else []


async def _not_found(stage: Stage, document: Document, is_due: bool, why: str) -> Verdict:
    """Why an address led to nothing, in the words of the pod."""
    if not is_due:
        return Verdict("refused", why)
    verdict = await read_only(stage, document)
    return Verdict("wrong", "", ["not found", verdict.reason, *verdict.faults])


def _shared_inbox(node: Node) -> str:
    endpoints = node.get("endpoints")
    return address(endpoints.get("sharedInbox")) if isinstance(endpoints, dict) else ""


def _is_vote(node: Node) -> bool:
    return bool(node.get("name") and node.get("inReplyTo") and not node.get("content"))


def _is_own(node: Node) -> bool:
    return urlsplit(author(node)).netloc == urlsplit(str(node.get("id"))).netloc


def _kind(node: Node) -> str:
    return "/".join(sorted(map(str, types(node)))) or "nothing"
