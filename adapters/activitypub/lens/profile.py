"""Profile <-> AS2 Person (or Service): the actor document, which is also the WebID.

Spec: https://www.w3.org/TR/activitypub/#actor-objects and https://w3id.org/fep/2c59
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Final

import orjson

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import IMPLEMENTED
from adapters.activitypub.lens import html
from adapters.activitypub.lens.names import Names
from adapters.activitypub.lens.presence import ADDED, DEFAULTS, many
from adapters.activitypub.lens.published import COMPLEMENT, INTERNAL, Put, View, require_shown
from pod.errors import Unprocessable
from pod.model.blob import BlobRef
from pod.model.ids import Origin
from pod.model.member import Member
from pod.model.profile import Profile
from pod.model.resource import EMPTY, Complement, Resource
from pod.model.richtext import LinkTo, Segment, Tag
from pod.records.cid import cid_text

EDITABLE: Final = frozenset({"name", "summary", "icon", "image"})
"""What a writer of the view may change."""

_FOUND: Final = re.compile(
    r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]|(?<![\w&/])#(?P<tag>\w*[^\W\d_]\w*)"
)

SETTINGS: Final = DEFAULTS.keys()
"""What a member may say beside the record."""


@dataclass(frozen=True, slots=True)
class ActorKeys:
    """The public keys of an actor: RSA as PEM, Ed25519 as Multikey."""

    rsa_pem: str
    multikey: str


@dataclass(frozen=True, slots=True)
class Presented:
    """A member as the lens sees them; ``resource`` None where they wrote no profile."""

    member: Member
    resource: Resource | None
    names: Names
    server: Origin

    @property
    def complement(self) -> Complement:
        """What AS2 keeps beside the profile record."""
        return self.resource.complement if self.resource is not None else EMPTY

    @property
    def annotation(self) -> View:
        """AS2 properties that the record has no place for."""
        data = self.complement.annotation(COMPLEMENT)
        return orjson.loads(data) if data else {}

    @property
    def override(self) -> View:
        """The author's own HTML, while it fits the record."""
        if self.resource is None:
            return {}
        data = self.complement.override(COMPLEMENT, self.resource.cid)
        return orjson.loads(data) if data else {}


def get(profile: Profile, presented: Presented, keys: ActorKeys) -> View:
    """The actor as AS2, without context."""
    return _shown(profile, presented, keys, presented.annotation, presented.override)


def put(view: View, before: Profile, presented: Presented, keys: ActorKeys) -> Put:
    """What an edited actor document means for the profile; Conflict for what it cannot hold."""
    shown = get(before, presented, keys)
    changed = {key for key in EDITABLE if view.get(key) != shown.get(key)}
    profile, override = before, dict(presented.override)
    if "name" in changed:
        profile = replace(profile, name=read.text(view, "name"))
    if "summary" in changed:
        summary = read.text(view, "summary") or ""
        profile = replace(profile, description=html.plain(summary) or None)
        fits = _summary(profile, presented.names) == summary
        override = {} if fits else {"summary": html.clean(summary)}
    if any(view.get(key) is not None for key in changed & {"icon", "image"}):
        raise Unprocessable("A picture is changed by uploading a blob.")
    if "icon" in changed:
        profile = replace(profile, avatar=None)
    if "image" in changed:
        profile = replace(profile, banner=None)
    annotation = _beside(view, shown, presented, _own_parts(before, presented))
    require_shown(view, shown, _shown(profile, presented, keys, annotation, override))
    return Put(profile, annotation, override)


def suspended(member: Member, keys: ActorKeys) -> View:
    """What is shown of a member who was taken down: that it is them, and no more."""
    return {
        "id": member.webid,
        "type": "Person",
        "preferredUsername": member.username,
        "inbox": f"{member.origin}/inbox/",
        "outbox": f"{member.origin}/outbox",
        "followers": f"{member.origin}/followers",
        "suspended": True,
        **_keys(member, keys),
    }


def _shown(
    profile: Profile, presented: Presented, keys: ActorKeys, annotation: View, override: View
) -> View:
    member, origin = presented.member, presented.member.origin
    view: View = {
        "id": member.webid,
        "type": "Service" if profile.is_bot else "Person",
        "preferredUsername": member.username,
        "webfinger": member.acct,
        "url": f"{origin}/",
        "name": profile.name or member.username,
        "summary": override.get("summary", _summary(profile, presented.names)),
        "inbox": f"{origin}/inbox/",
        "outbox": f"{origin}/outbox",
        "followers": f"{origin}/followers",
        "following": f"{origin}/following",
        "liked": f"{origin}/liked",
        "featured": f"{origin}/featured",
        "featuredTags": f"{origin}/featured-tags",
        "endpoints": _endpoints(presented),
        "published": member.created_at.isoformat().replace("+00:00", "Z"),
        "generator": {
            "id": f"{presented.server}/actor",
            "type": "Application",
            "implements": IMPLEMENTED,
        },
        "memorial": False,
        "suspended": False,
        **_keys(member, keys),
    }
    for key, own in _own_parts(profile, presented).items():
        view[key] = [*own, *many(annotation, key)]
    if profile.avatar is not None:
        view["icon"] = _image(profile.avatar, member)
    if profile.banner is not None:
        view["image"] = _image(profile.banner, member)
    if found := presented.names.emoji(view["name"], view["summary"]):
        view["tag"] = found
    said = {key: value for key, value in annotation.items() if key != INTERNAL}
    return {**DEFAULTS, **said, **view}


def _endpoints(presented: Presented) -> View:
    """Where peers deliver for all members, and where the member's own clients go."""
    origin, server = presented.member.origin, presented.server
    return {
        "sharedInbox": f"{server}/inbox",
        "proxyUrl": f"{origin}/proxyUrl",
        "uploadMedia": f"{origin}/uploadMedia",
        "oauthAuthorizationEndpoint": f"{server}/oauth/authorize",
        "oauthTokenEndpoint": f"{server}/oauth/token",
    }


def _own_parts(profile: Profile, presented: Presented) -> dict[str, list[Any]]:
    """Of the lists to which a member may add: what the pod itself says in them."""
    member = presented.member
    return {
        "alsoKnownAs": [member.did, f"at://{member.handle}"],
        "attachment": _fields(profile, member),
    }


def _keys(member: Member, keys: ActorKeys) -> View:
    return {
        "publicKey": {
            "id": key_id(member),
            "owner": member.webid,
            "publicKeyPem": keys.rsa_pem,
        },
        "assertionMethod": [
            {
                "id": proof_key_id(member),
                "type": "Multikey",
                "controller": member.webid,
                "publicKeyMultibase": keys.multikey,
            }
        ],
    }


def key_id(member: Member) -> str:
    """The id of the RSA key that signs for a member."""
    return f"{member.webid}#main-key"


def proof_key_id(member: Member) -> str:
    """The id of the Ed25519 key that proves a member's activities."""
    return f"{member.webid}#ed25519-key"


def holds_follows(complement: Complement) -> bool:
    """Whether a member wants to approve followers by hand."""
    data = complement.annotation(COMPLEMENT)
    return bool(orjson.loads(data).get("manuallyApprovesFollowers")) if data else False


def _beside(view: View, shown: View, presented: Presented, own: dict[str, list[Any]]) -> View:
    """What goes to the annotation: own settings that were changed, and properties nobody owns.

    Of lists to which a member may add, what they added.
    """
    before = presented.annotation
    kept = {
        key: value
        for key, value in view.items()
        if key not in own
        and key not in ("@context", INTERNAL)
        and (key in before or key not in shown or (key in SETTINGS and value != shown[key]))
    }
    if INTERNAL in before:
        kept[INTERNAL] = before[INTERNAL]
    for key, parts in own.items():
        added = [ADDED[key](part) for part in many(view, key) if part not in parts]
        if any(added):
            kept[key] = [part for part in added if part]
    return kept


def _summary(profile: Profile, names: Names) -> str:
    return html.render(tuple(_features(profile.description or "")), names)


def _features(words: str) -> Iterator[Segment]:
    """Words that have no facets, with the links and hashtags that every app finds in them."""
    at = 0
    for match in _FOUND.finditer(words):
        yield Segment(words[at : match.start()])
        tag = match["tag"]
        yield Segment(match[0], (Tag(tag) if tag else LinkTo(match[0]),))
        at = match.end()
    yield Segment(words[at:])


def _fields(profile: Profile, member: Member) -> list[View]:
    rows: list[tuple[str, str, str]] = [
        ("ATProto", f"https://{member.handle}/", member.handle),
    ]
    if profile.website:
        rows.insert(0, ("Website", profile.website, profile.website))
    found = [
        {
            "type": "PropertyValue",
            "name": name,
            "value": f'<a href="{escape(url)}" rel="me nofollow noopener">{escape(words)}</a>',
        }
        for name, url, words in rows
        if html.is_web(url)
    ]
    if profile.pronouns:
        found.append(
            {"type": "PropertyValue", "name": "Pronouns", "value": escape(profile.pronouns)}
        )
    return found


def _image(blob: BlobRef, member: Member) -> View:
    url = member.url(f"/blobs/{cid_text(blob.cid)}")
    return {"type": "Image", "mediaType": blob.media_type, "url": url}
