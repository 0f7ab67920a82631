"""Quotes: who may quote and answer a post, the author's stamp for a quote, and what a post quotes.

A stamp (QuoteAuthorization) is named by what it allows: ``{post}?c=stamp&of={quoting note}``.

Spec: https://w3id.org/fep/044f
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote as encoded

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import AS2, PROFILED_TYPE, PUBLIC
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens.names import object_id
from adapters.activitypub.lens.published import Published, View
from pod.model.ids import Iri
from pod.model.resource import record_key
from pod.records.lens.shape import objects_at

MISSKEY_QUOTE: Final = "https://misskey-hub.net/ns#_misskey_quote"
SPELLINGS: Final = ("quote", "quoteUrl", "quoteUri", "_misskey_quote")
"""The property by which a post says what it quotes: of FEP-044f, and three older ones."""

REQUEST: Final = "?c=request&of="
"""What follows a note's id in that of its wish to quote."""

POSTGATES: Final = "app.bsky.feed.postgate"
THREADGATES: Final = "app.bsky.feed.threadgate"
_NOBODY_QUOTES: Final = "app.bsky.feed.postgate#disableRule"


def quoted(node: Node) -> Iri | None:
    """What a post quotes, in whichever spelling, or as the link of FEP-e232."""
    found = next((iri for name in SPELLINGS if (iri := read.iri(node, name))), None)
    if found is not None:
        return found
    for tag in read.nodes(node, "tag"):
        media = tag.get("mediaType")
        is_object = isinstance(media, str) and (AS2 in media or media.endswith("activity+json"))
        if "Link" in read.types(tag) and (is_object or tag.get("rel") == MISSKEY_QUOTE):
            return read.iri(tag, "href")
    return None


def link(target: Iri) -> View:
    """The quote as a tag (FEP-e232)."""
    return {"type": "Link", "mediaType": PROFILED_TYPE, "rel": MISSKEY_QUOTE, "href": target}


def request_id(quoting: Iri, target: str) -> Iri:
    """The id of the wish of a note to quote something."""
    return Iri(f"{quoting}{REQUEST}{encoded(target, safe='')}")


def request(view: View, target: Iri, author: str) -> View:
    """The wish of a note, told as its view, to quote something of an author."""
    return {
        "id": request_id(view["id"], target),
        "type": "QuoteRequest",
        "actor": view["attributedTo"],
        "object": target,
        "instrument": view,
        "to": [author],
    }


def stamp_id(target: Iri, quoting: Iri) -> Iri:
    """The id of the permission to quote ``target`` that a quoting note has."""
    return Iri(f"{target}?c=stamp&of={encoded(quoting, safe='')}")


def stamp(published: Published, quoting: Iri) -> View:
    """The permission, as its author shows it."""
    return {
        "id": stamp_id(published.id, quoting),
        "type": "QuoteAuthorization",
        "attributedTo": published.author.webid,
        "interactingObject": quoting,
        "interactionTarget": published.id,
    }


def stamp_of_ours(target: str, published: Published) -> Iri | None:
    """The stamp for a quote between members; None where none is needed or given."""
    found = published.names.at_uri(target)
    place = published.names.locate(found) if found is not None else None
    if place is None or place[0].id == published.author.id:
        return None
    member, resource = place
    theirs = Published(member, resource, published.names)
    allowed = object_id(member, resource.path, resource.generation)
    return stamp_id(allowed, published.id) if may_quote(theirs) else None


def may_quote(published: Published) -> bool:
    """Whether the author lets others quote a post (its postgate)."""
    _, rkey = record_key(published.resource.path)
    gate = published.names.beside(published.author, POSTGATES, rkey)
    rules = objects_at(gate, "embeddingRules") if gate is not None else ()
    return all(rule.get("$type") != _NOBODY_QUOTES for rule in rules)


def policy(published: Published) -> View:
    """Who may quote and answer, as GoToSocial and Mastodon read it.

    A threadgate's lists cannot be said in this vocabulary: who is only on a list is left out.
    """
    author = published.author
    quoters = PUBLIC if may_quote(published) else author.webid
    found: View = {"canQuote": {"automaticApproval": [quoters], "manualApproval": []}}
    _, rkey = record_key(published.resource.path)
    gate = published.names.beside(author, THREADGATES, rkey)
    if gate is None or not isinstance(gate.get("allow"), list):
        return found
    groups = {
        "#followerRule": f"{author.origin}/followers",
        "#followingRule": f"{author.origin}/following",
    }
    kinds = [str(rule.get("$type")).removeprefix(THREADGATES) for rule in objects_at(gate, "allow")]
    who = [author.webid, *(groups[kind] for kind in kinds if kind in groups)]
    return {**found, "canReply": {"always": who, "automaticApproval": who, "manualApproval": []}}
