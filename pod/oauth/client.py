"""Clients: found by their id, which says where their metadata is, and how they prove themselves."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from pod.errors import Invalid, PodError
from pod.keys.jose import header_of, thumbprint, verified
from pod.oauth.metadata import LOOPBACK_PREFIX, Metadata, document, keys_of, loopback
from pod.oauth.ports import ClientAuth, Egress, OAuthStore
from pod.oauth.registration import (
    SECRET_METHODS,
    ClientStore,
    check_client_address,
    is_solid,
    solid_document,
)
from pod.oauth.request import hashed
from pod.ports import Clock

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEPT_FOR: Final = timedelta(minutes=10)
ASSERTION_LIFE: Final = timedelta(minutes=1)
MAX_CLIENT_ID: Final = 2_048
_MAX_DOCUMENT: Final = 64 * 1024
_MAX_CLIENTS: Final = 1_000
_ACCEPT: Final = "application/json, application/ld+json"


class Clients:
    """Fetches, checks and remembers what clients say of themselves, and authenticates them."""

    def __init__(
        self,
        egress: Egress,
        store: OAuthStore,
        registered: ClientStore,
        clock: Clock,
        issuer: str,
    ) -> None:
        self._egress = egress
        self._store = store
        self._registered = registered
        self._clock = clock
        self._issuer = issuer
        self._token_url = f"{issuer}/oauth/token"
        self._is_dev = issuer.startswith("http://")
        self._known: OrderedDict[str, tuple[Metadata, datetime]] = OrderedDict()

    async def client(self, client_id: str) -> Metadata:
        """The client of an id; Invalid named ``invalid_client_metadata`` if it has no good one."""
        if len(client_id) > MAX_CLIENT_ID:
            raise Invalid("the client id is too long", name="invalid_client_metadata")
        if "://" not in client_id:
            return self._of_here(client_id)
        if self._is_loopback(client_id):
            return loopback(client_id)
        now = self._clock.now()
        known = self._known.get(client_id)
        if known is not None and known[1] > now:
            return known[0]
        told = await self._json(client_id, client_id)
        if is_solid(told):
            check_client_address(client_id, is_dev=self._is_dev)
            found = solid_document(client_id, told)
        else:
            found = document(client_id, told)
        self._known[client_id] = (found, now + KEPT_FOR)
        if len(self._known) > _MAX_CLIENTS:
            self._known.popitem(last=False)
        return found

    def _of_here(self, client_id: str) -> Metadata:
        found = self._registered.client(client_id)
        if found is None:
            raise _refusal("This client is not known here")
        return found.metadata

    def _is_loopback(self, client_id: str) -> bool:
        """Whether an id stands for its metadata; in development a server may be on this device."""
        rest = client_id.removeprefix(LOOPBACK_PREFIX)
        return rest != client_id and not (self._is_dev and rest.startswith(":"))

    async def used(self, client: Metadata) -> None:
        """Remember that a client is in use, so that it is kept."""
        if "://" not in client.client_id:
            await self._registered.use_client(client.client_id, self._clock.now())

    async def authenticate(
        self, client: Metadata, form: Mapping[str, str], basic: str | None = None
    ) -> ClientAuth:
        """How a client proved itself with a request; Invalid named ``invalid_client``.

        A public client has nothing to prove. An assertion is good once, for a minute. ``basic`` is
        the secret that came in ``Authorization``; one in the form is as good.
        """
        if not client.is_confidential:
            return ClientAuth("none")
        if client.auth_method in SECRET_METHODS:
            shown = hashed(basic or form.get("client_secret", ""))
            if not hmac.compare_digest(shown, client.secret_hash or ""):
                raise _refusal("The client's secret is missing or wrong")
            return ClientAuth(client.auth_method)
        if form.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in form:
            raise _refusal("this client authenticates with a client_assertion")
        token = form["client_assertion"]
        key = await self._key(client, token)
        try:
            claims = verified(token, key)
        except Invalid as err:
            raise _refusal(f'Validation of "client_assertion" failed: {err.safe_text}') from err
        await self._check_assertion(client, claims)
        return ClientAuth(client.auth_method, thumbprint(key))

    async def _key(self, client: Metadata, token: str) -> dict[str, Any]:
        try:
            header = header_of(token)
        except Invalid as err:
            raise _refusal("malformed client_assertion") from err
        if header["alg"] != client.auth_alg:
            raise _refusal("client_assertion has another algorithm than the client's metadata")
        keys = client.jwks
        if client.jwks_uri is not None:
            keys = keys_of(await self._json(client.jwks_uri, client.client_id))
        for key in keys:
            if header.get("kid") is not None and key.get("kid") == header["kid"]:
                return key
        raise _refusal('"kid" required in client_assertion must name a key of the client')

    async def _check_assertion(self, client: Metadata, claims: dict[str, Any]) -> None:
        now = self._clock.now()
        if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
            raise _refusal("iss and sub of client_assertion must be the client id")
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        ours = [self._issuer] if client.rules == "atproto" else [self._issuer, self._token_url]
        if not any(each in named for each in ours):
            raise _refusal("aud of client_assertion must be the issuer")
        issued, ends, jti = claims.get("iat"), claims.get("exp"), claims.get("jti")
        if not isinstance(issued, int | float) or not isinstance(jti, str) or not jti:
            raise _refusal("client_assertion needs iat and jti")
        if abs(now.timestamp() - issued) > ASSERTION_LIFE.total_seconds():
            raise _refusal("client_assertion is too old")
        if ends is not None and (not isinstance(ends, int | float) or ends <= now.timestamp()):
            raise _refusal("client_assertion has expired")
        if not await self._store.use_once(
            f"assertion {client.client_id} {jti}", now + 2 * ASSERTION_LIFE
        ):
            raise _refusal("client_assertion was used before")

    async def _json(self, url: str, client_id: str) -> Any:
        text = f'Unable to obtain client metadata for "{client_id}"'
        try:
            answer = await self._egress.get(url, {"Accept": _ACCEPT}, max_bytes=_MAX_DOCUMENT)
        except PodError as err:
            raise Invalid(text, name="invalid_client_metadata") from err
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        is_json = media_type == "application/json" or media_type.endswith("+json")
        if answer.status != 200 or answer.url != url or not is_json:
            raise Invalid(text, name="invalid_client_metadata")
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError as err:
            raise Invalid(text, name="invalid_client_metadata") from err


def _refusal(text: str) -> Invalid:
    return Invalid(text, name="invalid_client")
