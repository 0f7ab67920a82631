"""The JSON-LD contexts of what we send, written from one table of terms; none is ever fetched.

Spec: https://www.w3.org/TR/activitystreams-core/#jsonld
"""

from __future__ import annotations

from typing import Any, Final

AS2: Final = "https://www.w3.org/ns/activitystreams"
SECURITY: Final = "https://w3id.org/security/v1"
DATA_INTEGRITY: Final = "https://w3id.org/security/data-integrity/v1"
MULTIKEY: Final = "https://w3id.org/security/multikey/v1"
PUBLIC: Final = AS2 + "#Public"
MEDIA_TYPE: Final = "application/activity+json"
PROFILED_TYPE: Final = f'application/ld+json; profile="{AS2}"'

_TOOT: Final = "http://joinmastodon.org/ns#"
_GTS: Final = "https://gotosocial.org/ns#"
_FEP_044F: Final = "https://w3id.org/fep/044f#"
_TERMS: Final[dict[str, Any]] = {
    "Hashtag": "as:Hashtag",
    "sensitive": "as:sensitive",
    "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
    "movedTo": {"@id": "as:movedTo", "@type": "@id"},
    "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
    "discoverable": f"{_TOOT}discoverable",
    "indexable": f"{_TOOT}indexable",
    "featured": {"@id": f"{_TOOT}featured", "@type": "@id"},
    "featuredTags": {"@id": f"{_TOOT}featuredTags", "@type": "@id"},
    "memorial": f"{_TOOT}memorial",
    "suspended": f"{_TOOT}suspended",
    "blurhash": f"{_TOOT}blurhash",
    "Emoji": f"{_TOOT}Emoji",
    "schema": "http://schema.org#",
    "PropertyValue": "schema:PropertyValue",
    "value": "schema:value",
    "webfinger": "https://purl.archive.org/socialweb/webfinger#webfinger",
    "focalPoint": {"@container": "@list", "@id": f"{_TOOT}focalPoint"},
    "votersCount": f"{_TOOT}votersCount",
    "conversation": "http://ostatus.org#conversation",
    "implements": {"@id": "https://w3id.org/fep/844e#implements", "@type": "@id"},
    "EmojiReact": "http://litepub.social/ns#EmojiReact",
    "quote": {"@id": f"{_FEP_044F}quote", "@type": "@id"},
    "quoteAuthorization": {"@id": f"{_FEP_044F}quoteAuthorization", "@type": "@id"},
    "QuoteRequest": f"{_FEP_044F}QuoteRequest",
    "QuoteAuthorization": f"{_FEP_044F}QuoteAuthorization",
    "interactingObject": {"@id": f"{_GTS}interactingObject", "@type": "@id"},
    "interactionTarget": {"@id": f"{_GTS}interactionTarget", "@type": "@id"},
    "interactionPolicy": {"@id": f"{_GTS}interactionPolicy", "@type": "@id"},
    "canQuote": {"@id": f"{_GTS}canQuote", "@type": "@id"},
    "canReply": {"@id": f"{_GTS}canReply", "@type": "@id"},
    "always": {"@id": f"{_GTS}always", "@type": "@id"},
    "automaticApproval": {"@id": f"{_GTS}automaticApproval", "@type": "@id"},
    "manualApproval": {"@id": f"{_GTS}manualApproval", "@type": "@id"},
    "quoteUrl": "as:quoteUrl",
    "quoteUri": "http://fedibird.com/ns#quoteUri",
    "_misskey_quote": "https://misskey-hub.net/ns#_misskey_quote",
}

_NOTE_TERMS: Final = (
    "Hashtag", "sensitive", "blurhash", "focalPoint", "votersCount", "conversation", "Emoji",
    "EmojiReact",
    "quote", "quoteAuthorization", "QuoteRequest", "QuoteAuthorization", "interactingObject",
    "interactionTarget", "interactionPolicy", "canQuote", "canReply", "always",
    "automaticApproval", "manualApproval", "quoteUrl", "quoteUri", "_misskey_quote",
)  # fmt: skip
_ACTOR_TERMS: Final = (
    "manuallyApprovesFollowers", "movedTo", "alsoKnownAs", "discoverable", "indexable", "featured",
    "featuredTags", "memorial", "suspended", "Hashtag", "Emoji", "schema", "PropertyValue", "value",
    "webfinger", "implements",
)  # fmt: skip

NOTE: Final[list[Any]] = [AS2, {term: _TERMS[term] for term in _NOTE_TERMS}]
"""The context of notes, articles and the activities around them."""

IMPLEMENTED: Final = [
    {
        "type": "Link",
        "href": "https://datatracker.ietf.org/doc/html/rfc9421",
        "name": "RFC-9421: HTTP Message Signatures",
    }
]
"""What peers cannot tell from what we send (FEP-844e): the newer signatures are taken, too."""

ACTOR: Final[list[Any]] = [
    AS2, SECURITY, MULTIKEY, {term: _TERMS[term] for term in _ACTOR_TERMS},
]  # fmt: skip
"""The context of actors."""

EMOJI: Final[list[Any]] = [AS2, {"Emoji": _TERMS["Emoji"]}]
"""The context of a custom emoji."""


def with_context(view: dict[str, Any], context: Any = AS2) -> dict[str, Any]:
    """The view as a document of its own."""
    return {"@context": context, **view}


def without_context(document: dict[str, Any]) -> dict[str, Any]:
    """The document as a part of another."""
    return {key: value for key, value in document.items() if key != "@context"}
