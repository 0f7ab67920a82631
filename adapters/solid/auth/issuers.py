"""Other issuers of identity: their keys, and the issuers that a WebID trusts; fetched and cached.

Spec: https://solidproject.org/TR/oidc#resource-access-validation,
https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

import orjson
from pyoxigraph import NamedNode

from adapters.solid.ports import Egress
from adapters.solid.rdf.parse import RDF_ACCEPT, aside, parse_rdf
from pod.errors import Invalid, PeerUnavailable, PodError
from pod.ports import Clock

_KEYS_GOOD_FOR: Final = timedelta(minutes=10)
_ASKED_AGAIN_AFTER: Final = timedelta(seconds=30)
"""How soon a key that is not known makes us look again, so that nobody makes us look for ever."""

_WEBID_GOOD_FOR: Final = timedelta(minutes=5)
_FAILED_FOR: Final = timedelta(seconds=30)
_MAX_KNOWN: Final = 2_000
_MAX_JSON: Final = 256 * 1024
_MAX_PROFILE: Final = 1_000_000
_ISSUER: Final = NamedNode("http://www.w3.org/ns/solid/terms#oidcIssuer")

V = TypeVar("V")
Jwk = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Kept(Generic[V]):
    value: V
    at: datetime
    until: datetime


class _Cache(Generic[V]):
    """The newest things of a kind, each for a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, _Kept[V]] = OrderedDict()

    def get(self, name: str) -> _Kept[V] | None:
        found = self._kept.get(name)
        return found if found is not None and found.until > self._clock.now() else None

    def put(self, name: str, value: V, lasting: timedelta) -> V:
        now = self._clock.now()
        self._kept[name] = _Kept(value, now, now + lasting)
        self._kept.move_to_end(name)
        if len(self._kept) > _MAX_KNOWN:
            self._kept.popitem(last=False)
        return value


class Issuers:
    """What other servers say of their keys and of people; what cannot be had is nobody's word."""

    def __init__(self, egress: Egress, clock: Clock, *, is_dev: bool) -> None:
        """``is_dev`` believes issuers and WebIDs without TLS, too."""
        self._egress = egress
        self._clock = clock
        self._schemes = ("https", "http") if is_dev else ("https",)
        self._keys: _Cache[Sequence[Jwk]] = _Cache(clock)
        self._trusted: _Cache[frozenset[str]] = _Cache(clock)

    async def key(self, issuer: str, kid: object) -> Jwk:
        """The key of an issuer that a token names; Invalid.

        A key that is not known is looked for again, as issuers change theirs.
        """
        known = self._keys.get(issuer)
        if known is None:
            return _chosen(await self._fetched_keys(issuer), kid)
        try:
            return _chosen(known.value, kid)
        except Invalid:
            if self._clock.now() < known.at + _ASKED_AGAIN_AFTER:
                raise
        return _chosen(await self._fetched_keys(issuer), kid)

    async def trusts(self, webid: str, issuer: str) -> bool:
        """Whether the document of a WebID names an issuer as one that speaks for it."""
        known = self._trusted.get(webid)
        named = await self._fetched_issuers(webid) if known is None else known.value
        return issuer.rstrip("/") in named

    async def _fetched_keys(self, issuer: str) -> Sequence[Jwk]:
        self._check(issuer)
        try:
            told = await self._json(issuer.rstrip("/") + "/.well-known/openid-configuration")
            if told.get("issuer") != issuer or not isinstance(told.get("jwks_uri"), str):
                raise Invalid("the issuer's configuration is not its own")
            self._check(told["jwks_uri"])
            keys = (await self._json(told["jwks_uri"])).get("keys")
            if not isinstance(keys, list):
                raise Invalid("the issuer has no keys")
        except PodError:
            self._keys.put(issuer, (), _FAILED_FOR)
            raise
        return self._keys.put(
            issuer, tuple(key for key in keys if isinstance(key, dict)), _KEYS_GOOD_FOR
        )

    async def _fetched_issuers(self, webid: str) -> frozenset[str]:
        self._check(webid)
        url = webid.partition("#")[0]
        try:
            answer = await self._egress.get(url, {"Accept": RDF_ACCEPT}, max_bytes=_MAX_PROFILE)
            if answer.status != 200:
                raise PeerUnavailable
            body, base = answer.body, answer.url
            media_type = answer.content_type.partition(";")[0].strip().lower()
            named = await aside(len(body), lambda: _issuers_in(body, media_type, base, webid))
        except PodError:
            self._trusted.put(webid, frozenset(), _FAILED_FOR)
            raise
        return self._trusted.put(webid, named, _WEBID_GOOD_FOR)

    async def _json(self, url: str) -> dict[str, Any]:
        answer = await self._egress.get(url, {"Accept": "application/json"}, max_bytes=_MAX_JSON)
        if answer.status != 200:
            raise PeerUnavailable
        try:
            told = orjson.loads(answer.body)
        except orjson.JSONDecodeError as err:
            raise Invalid("the issuer's document is not JSON") from err
        if not isinstance(told, dict):
            raise Invalid("the issuer's document is not an object")
        return told

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
        except ValueError as err:
            raise Invalid("not a URL") from err
        if parts.scheme not in self._schemes or not parts.hostname or "@" in parts.netloc:
            raise Invalid("not an address that can be believed")


def _issuers_in(body: bytes, media_type: str, base: str, webid: str) -> frozenset[str]:
    graph = parse_rdf(body, media_type, base)
    return frozenset(
        triple.object.value.rstrip("/")
        for triple in graph
        if triple.predicate == _ISSUER
        and triple.subject == NamedNode(webid)
        and isinstance(triple.object, NamedNode)
    )


def _chosen(keys: Sequence[Jwk], kid: object) -> Jwk:
    """The key that a token names; a token that names none means the only one."""
    fitting = [key for key in keys if key.get("use", "sig") == "sig"]
    if kid is not None:
        fitting = [key for key in fitting if key.get("kid") == kid]
    if len(fitting) != 1:
        raise Invalid("the issuer has no such key")
    return fitting[0]
