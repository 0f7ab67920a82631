"""What a subscriber asks for: the notification channel described in a request, checked.

Spec: https://solidproject.org/TR/notifications-protocol#subscription-client-subscription-request
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import orjson
from pyoxigraph import BlankNode, Literal, NamedNode

from adapters.http.negotiate import MediaType
from adapters.solid.channel_terms import CONTEXTS, FEATURES, WEBHOOK, moment, span
from adapters.solid.notify.message import media_of
from adapters.solid.notify.subscribe import Wish
from adapters.solid.rdf.parse import FORMATS, Graph, parse_rdf
from adapters.solid.rdf.vocab import NOTIFY, RDF
from pod.errors import Invalid, Unprocessable, Unsupported
from pod.model.ids import Iri

MAX_BODY: Final = 16_384
_MAX_TEXT: Final = 2_048
_PLAIN: Final = "application/json"
_KNOWN: Final = frozenset({RDF.type, NOTIFY.topic, NOTIFY.sendTo, *(NOTIFY[f] for f in FEATURES)})


def wish_of(body: bytes, media: MediaType, kind: str) -> Wish:
    """The channel of type ``kind`` that a subscription request describes.

    Raises Unsupported for other media types and profiles, Invalid for what is not well formed,
    Unprocessable for everything else that cannot be granted as it stands.
    """
    if media.essence == _PLAIN:
        return _checked(_of_json(body), kind)
    if media.essence not in FORMATS:
        raise Unsupported("A subscription is application/ld+json or text/turtle")
    profile = dict(media.parameters).get("profile")
    if profile is not None and not set(profile.split()) <= set(CONTEXTS):
        raise Unsupported(f"The profile {profile[:100]} is not known here")
    graph = parse_rdf(body, media.essence, "urn:channel:")
    return _checked(_of_graph(graph, kind), kind)


def _of_json(body: bytes) -> dict[str, str]:
    """The fields of a plain JSON request, as clients send it that negotiate at a gateway."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise Invalid("Not well-formed JSON") from err
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise Unprocessable("A subscription is an object of strings")
    if odd := told.keys() - {"topic", "sendTo", *FEATURES}:
        raise Unprocessable(f"{min(odd)[:50]} is not known here")
    return told


def _of_graph(graph: Graph, kind: str) -> dict[str, str]:
    subjects = {triple.subject for triple in graph if triple.predicate == NOTIFY.topic}
    if len(subjects) != 1:
        raise Unprocessable("A subscription has one topic" if subjects else "The topic is missing")
    told: dict[str, str] = {}
    types = []
    for triple in graph:
        value = triple.object
        if triple.subject not in subjects or triple.predicate not in _KNOWN:
            raise Unprocessable(f"{triple.predicate.value} is not known here")
        if triple.predicate == RDF.type:
            types.append(value)
            continue
        name = triple.predicate.value.removeprefix(NOTIFY.iri)
        if name in told:
            raise Unprocessable(f"There may be one {name}")
        is_iri = name in ("topic", "sendTo")
        if isinstance(value, BlankNode) or is_iri is not isinstance(value, NamedNode):
            raise Unprocessable(f"{name} is {'a URL' if is_iri else 'a literal'}")
        assert isinstance(value, NamedNode | Literal)
        told[name] = value.value
    if types != [NOTIFY[kind]]:
        raise Unprocessable(f"The type here is {NOTIFY[kind].value}")
    return told


def _checked(told: Mapping[str, str], kind: str) -> Wish:
    if "topic" not in told:
        raise Unprocessable("The topic is missing")
    if any(len(value) > _MAX_TEXT for value in told.values()):
        raise Unprocessable("A value is too long")
    send_to = told.get("sendTo")
    if (send_to is None) is (kind == WEBHOOK):
        text = "sendTo is missing" if send_to is None else f"A {kind} sends to nobody"
        raise Unprocessable(text)
    accept = told.get("accept")
    if accept is not None and media_of(accept) is None:
        raise Unprocessable("Messages are made in none of the accepted media types")
    return Wish(
        topic=told["topic"],
        send_to=None if send_to is None else Iri(send_to),
        state=told.get("state"),
        start_at=moment(told["startAt"]) if "startAt" in told else None,
        end_at=moment(told["endAt"]) if "endAt" in told else None,
        rate=span(told["rate"]) if "rate" in told else timedelta(),
        accept=accept,
    )
