"""Plays recorded activities that only relate: follows, likes, boosts, and what takes them back."""

from __future__ import annotations

from typing import Any

from tests.kit.fediverse import AS2
from tests.kit.stage import Stage
from tests.peers.dialects import expected
from tests.peers.dialects.expected import ACTORS, address, many, types
from tests.peers.dialects.play import (
    Verdict,
    _politely,
    create,
    politely,
    signed_by_another,
)
from tests.peers.dialects.recorded import Document, Node

_EDGES = {"Like": "like", "Announce": "announce", "EmojiReact": "react", "Block": "block"}


def aimed(node: Node, stage: Stage) -> Node:
    """A relation with alice, or her post, as what it is about."""
    target = stage.me if types(node) & {"Follow", "Block"} else stage.post
    return {**node, "object": target}


def standing(stage: Stage, kind: str) -> int:
    """How many relations of a kind stand."""
    if kind == "Follow":
        return stage.count("follower")
    return stage.count("edge", "kind = ?", _EDGES[kind])


def count_replies(stage: Stage) -> int:
    """How many answers to alice are kept."""
    return stage.count("edge", "kind = 'reply'")


async def relation(stage: Stage, document: Document) -> Verdict:
    """Follow, Like, EmojiReact, Block, and Announce of what was not recorded."""
    node = aimed(document.node, stage)
    kind = next(iter(types(node) & {"Follow", *_EDGES}))
    stage.world.need_actor(address(node.get("actor")))
    faults = await signed_by_another(stage, node)
    faults += ["a forged one counts"] if standing(stage, kind) else []
    status, words = await stage.deliver(node)
    if status != 202:
        return Verdict("refused", words)
    if standing(stage, kind) != 1:
        faults.append(f"{standing(stage, kind)} stand")
    if kind == "Follow":
        accept = await stage.delivered("Accept")
        faults += [] if address(accept["object"]) == node.get("id") else ["accepted by another id"]
    return Verdict.by(faults, "counted" if kind != "Follow" else "accepted")


async def announce(stage: Stage, document: Document) -> Verdict:
    """A boost stands in the home of whom follows the booster, or is counted on alice's post."""
    node = document.node
    target = address(node.get("object"))
    told = node.get("object")
    if isinstance(told, dict) and "actor" in told and "object" in told:
        return await _passed_on(stage, document)
    known = told if isinstance(told, dict) and "attributedTo" in told else None
    known = known or stage.world.documents.get(target)
    if not isinstance(known, dict) or await stage.follow(address(node.get("actor"))):
        return await relation(stage, document)
    stage.world.put({"@context": AS2, **known})
    stage.world.need_actor(address(many(known.get("attributedTo"))[0]))
    faults = await signed_by_another(stage, node)
    status, words = await stage.deliver(node)
    if status != 202:
        return Verdict("refused", words)
    home = await stage.phone.get("/api/v1/timelines/home")
    if not any((each["reblog"] or {}).get("uri") == target for each in home):
        faults.append("the boost is not shown")
    return Verdict.by(faults, "shown as a boost")


async def _passed_on(stage: Stage, document: Document) -> Verdict:
    """A group passes an activity on: its object changes for alice as its origin says."""
    node = document.node
    inner: Node = node["object"]
    kind = next(iter(types(inner)))
    group = address(node.get("actor"))
    about = inner.get("object")
    whole = about if isinstance(about, dict) else stage.world.documents.get(address(about))
    if kind not in ("Create", "Update", "Delete") or await stage.follow(group):
        return await politely(stage, document)
    iri = address(about)
    if kind == "Create" and isinstance(whole, dict) and expected.post(whole).visibility == "public":
        return await _answer_passed_on(stage, node, inner, whole)
    writer = address(inner.get("actor"))
    if isinstance(whole, dict) and "attributedTo" in whole:
        writer = address(many(whole["attributedTo"])[0])
    if not iri or types(whole or {}) & ACTORS or iri == address(inner.get("actor")):
        return await politely(stage, document)
    note = {
        "@context": AS2, "id": iri, "type": "Note", "attributedTo": writer, "content": "before",
        "to": [f"{AS2}#Public"], "published": "2024-01-01T00:00:00Z",
    }  # fmt: skip
    stage.world.need_actor(writer)
    stage.world.documents[iri] = note
    boost = {"@context": AS2, "type": "Announce", "id": f"{group}#boost", "actor": group,
             "object": iri, "to": [f"{AS2}#Public"]}  # fmt: skip
    await stage.deliver(boost)
    if kind == "Delete":
        stage.world.documents[iri] = 410
    else:
        stage.world.documents[iri] = {**note, **(whole or {}), "content": "after",
                                      "updated": "2025-02-01T00:00:00Z"}  # fmt: skip
    status, words = await stage.deliver(node)
    if status != 202:
        return Verdict("refused", words)
    home = [each["reblog"]["content"] for each in await stage.phone.get("/api/v1/timelines/home")
            if each["reblog"]]  # fmt: skip
    faults = [f"a passed-on {kind} does nothing"] if any("before" in each for each in home) else []
    return Verdict.by(faults, f"passed-on {kind}")


async def _answer_passed_on(stage: Stage, node: Node, inner: Node, whole: Node) -> Verdict:
    """What answers alice reaches her when only the group tells her of it."""
    answer = {"@context": AS2, **whole, "inReplyTo": stage.post}
    stage.world.put(answer)
    stage.world.need_actor(address(many(whole.get("attributedTo"))[0]))
    told = {**node, "object": {**inner, "object": answer}}
    status, words = await stage.deliver(told)
    if status != 202:
        return Verdict("refused", words)
    notices = await stage.phone.get("/api/v1/notifications")
    is_told = any((each.get("status") or {}).get("uri") == answer["id"] for each in notices)
    return Verdict.by([] if is_told else ["a passed-on answer is lost"], "passed-on answer")


async def undo(stage: Stage, document: Document) -> Verdict:
    """What is taken back stood before, and does not stand any more."""
    told = document.node.get("object")
    inner: Any = told if isinstance(told, dict) else stage.world.documents.get(address(told))
    kinds = types(inner or {}) & {"Follow", *_EDGES}
    if not kinds:
        return await politely(stage, document)
    kind = next(iter(kinds))
    first = aimed({"@context": AS2, "actor": document.node["actor"], **inner}, stage)
    status, words = await stage.deliver(first)
    if status != 202:
        return _politely(status, words, "")
    stood = standing(stage, kind)
    node = {**document.node, "object": first if isinstance(told, dict) else told}
    faults = [] if stood == 1 else [f"{kind} stood {stood} times"]
    await stage.deliver({**node, "id": f"{stage.world.key.id}/3", "actor": stage.world.key.id})
    faults += ["another undid it"] if standing(stage, kind) != stood else []
    status, words = await stage.deliver(node)
    if status != 202:
        return Verdict("refused", words)
    faults += [f"{kind} still stands"] if standing(stage, kind) else []
    return Verdict.by(faults, f"{kind} taken back")


async def answer(stage: Stage, document: Document) -> Verdict:
    """Accept or Reject of a follow of alice's."""
    node, kind = document.node, next(iter(document.types & {"Accept", "Reject"}))
    told = node.get("object")
    person = address(node.get("actor"))
    if isinstance(told, dict) and not types(told) & {"Follow"}:
        return await politely(stage, document)
    if kind == "Reject":
        await stage.follow(person)
    stage.world.need_actor(person)
    found = await stage.find(person, "accounts")
    if found is None:
        return Verdict("refused", "the actor is none")
    if kind == "Accept":
        await stage.phone.post(f"/api/v1/accounts/{found['id']}/follow")
    asked = await stage.delivered("Follow")
    node = {**node, "object": {**told, "id": asked["id"], "actor": stage.me, "object": person}
            if isinstance(told, dict) else asked["id"]}  # fmt: skip
    status, words = await stage.deliver(node)
    if status != 202:
        return Verdict("refused", words)
    (between,) = await stage.phone.get("/api/v1/accounts/relationships", **{"id[]": found["id"]})
    good = between["following"] if kind == "Accept" else not between["requested"]
    return Verdict.by([] if good else [f"{kind} does nothing"], f"follow answered: {kind}")


async def delete(stage: Stage, document: Document) -> Verdict:
    """A post, or a follower, is gone."""
    node = document.node
    sender, about = address(node.get("actor")), address(node.get("object"))
    stage.world.need_actor(sender)
    if about == sender:
        follow = {"@context": AS2, "id": f"{sender}#f", "type": "Follow", "actor": sender}
        await stage.deliver({**follow, "object": stage.me})
        stage.world.documents[sender] = stage.world.documents[sender] | {"id": sender}
        status, words = await stage.deliver(node)
        stands = standing(stage, "Follow")
        faults = [] if not stands else ["somebody who is gone still follows"]
        return (
            Verdict.by(faults, "an actor is gone") if status == 202 else Verdict("refused", words)
        )
    note = {"id": about, "type": "Note", "attributedTo": sender, "content": "x",
            "inReplyTo": stage.post, "to": [f"{AS2}#Public"]}  # fmt: skip
    made = {"@context": AS2, "id": f"{sender}#made", "type": "Create", "actor": sender}
    status, words = await stage.deliver({**made, "object": note})
    if status != 202 or not count_replies(stage):
        return Verdict("refused", f"the object is not the actor's own {words}")
    by_another = {**node, "id": f"{stage.world.key.id}/4", "actor": stage.world.key.id}
    stage.world.documents[about] = {"@context": AS2, **note}
    await stage.deliver(by_another)
    faults = [] if count_replies(stage) else ["another deleted it"]
    status, words = await stage.deliver(node)
    if status != 202:
        return Verdict("refused", words)
    faults += ["it is still there"] if count_replies(stage) else []
    return Verdict.by(faults, "a post is gone")


async def move(stage: Stage, document: Document) -> Verdict:
    """Alice, who follows somebody, follows them where they moved."""
    old, new = (address(document.node.get(key)) for key in ("object", "target"))
    is_true = address(document.node.get("actor")) == old != new
    if why := await stage.follow(old):
        return Verdict("wrong", "", [why])
    stage.world.received.clear()
    stage.world.need_actor(new)
    stage.world.documents[new] = {**stage.world.documents[new], "alsoKnownAs": [old]}
    stage.world.documents[old] = {**stage.world.documents[old], "movedTo": new}
    status, words = await stage.deliver(document.node)
    if status != 202:
        return Verdict("refused", words)
    if not is_true:
        is_good = all(each["type"] != "Follow" for _, each in stage.world.received)
        return Verdict("refused" if is_good else "wrong", "nobody moves another, or nowhere")
    asked = await stage.delivered("Follow")
    return Verdict.by([] if asked["object"] == new else [f"follows {asked['object']}"], "followed")


async def flag(stage: Stage, document: Document) -> Verdict:
    """A report of alice and her post is kept."""
    node = document.node
    told = many(node.get("object"))
    target: Any = [stage.me, stage.post][: len(told)] if len(told) > 1 else stage.post
    status, words = await stage.deliver({**node, "object": target})
    if status != 202:
        return Verdict("refused", words)
    kept = stage.count("report")
    return Verdict.by([] if kept == 1 else [f"{kept} reports"], "a report is kept")


PLAYERS = {
    "Create": create, "Update": create, "Follow": relation, "Like": relation,
    "EmojiReact": relation, "Block": relation, "Announce": announce, "Undo": undo,
    "Accept": answer, "Reject": answer, "Delete": delete, "Flag": flag, "Move": move,
}  # fmt: skip
