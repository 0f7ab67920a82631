"""What a member wants of those whom they follow: boosts, word of each post, some languages.

Kept only where it is not the usual, as a document of the member's own that nobody is told of.

Spec: https://docs.joinmastodon.org/methods/accounts/#follow (reblogs, notify, languages)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.moderation import said
from adapters.activitypub.wing import Wing
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import ABSENT, ResourcePath
from pod.write import Delete, Op, PutDocument

WISHES: Final = "/data/social/wish/"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of one who is followed; no ``languages`` are all."""

    boosts: bool = True
    notify: bool = False
    languages: tuple[str, ...] = ()

    def takes(self, post: Node) -> bool:
        """Whether a post is in a wanted language, or does not say in which it is."""
        spoken = {_primary(each) for each in read.text_map(post, "content")}
        wanted = {_primary(each) for each in self.languages}
        return not wanted or not spoken or bool(wanted & spoken)


USUAL: Final = Wish()


def wish_of(wing: Wing, member: Member, actor: Iri) -> Wish:
    """What a member wants of an actor, whether or not they follow them."""
    for path in wing.reader.about(member.id, WISHES, actor):
        held = said(wing, member, path)
        languages = held.get("languages")
        return Wish(
            boosts=held.get("boosts") is not False,
            notify=held.get("notify") is True,
            languages=tuple(map(str, languages)) if isinstance(languages, list) else (),
        )
    return USUAL


def changed(wing: Wing, member: Member, actor: Iri, wish: Wish) -> list[Op]:
    """What to write so that a member wants this of an actor from now on."""
    if wish == wish_of(wing, member, actor):
        return []
    ops: list[Op] = [*forgotten(wing, member, actor)]
    if wish != USUAL:
        view = {
            "actor": actor,
            "boosts": wish.boosts,
            "notify": wish.notify,
            "languages": wish.languages,
        }
        path = ResourcePath(WISHES + wing.tids.next())
        ops.append(PutDocument(path, "application/json", orjson.dumps(view), ABSENT, subject=actor))
    return ops


def forgotten(wing: Wing, member: Member, actor: Iri) -> list[Delete]:
    """What to delete so that the usual is wanted of an actor."""
    paths = wing.reader.about(member.id, WISHES, actor)
    return [Delete(path, missing_ok=True) for path in paths]


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()
