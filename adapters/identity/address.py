"""A member's fediverse address on another domain than their origin's, once that domain agrees.

``@name@example.com`` may lead to an actor on ``social.example.com``: the domain redirects its
WebFinger there, peers ask both and compare.

Spec: RFC 7033, https://docs.joinmastodon.org/spec/webfinger/, https://w3id.org/fep/2c59
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import quote, unquote, urlsplit

import orjson

from pod.account import Accounts
from pod.errors import Invalid, PodError
from pod.model.ids import Iri, MemberId
from pod.model.member import Member

_ADDRESS: Final = re.compile(
    r"@?([a-z0-9_]+(?:[.-]+[a-z0-9_]+)*)@((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.?)+(?::[0-9]+)?)"
)
_LONGEST_NAME: Final = 30


class _Answer(Protocol):
    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...


Ask = Callable[[str], Awaitable[_Answer]]
"""Asks for a URL and follows redirects; raises PodErrors."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Gives members the address they wish for.

    While a domain is asked whether it agrees, WebFinger knows what the member wishes for: the
    domain sends the question on to here.
    """

    accounts: Accounts
    ask: Ask
    _wished: dict[MemberId, str] = field(default_factory=dict)

    def leads_to(self, resource: str, member: Member) -> bool:
        """Whether a WebFinger resource is an address of a member, or one they wish for."""
        scheme, _, address = unquote(resource).partition(":")
        known = (member.acct, member.own_acct, self._wished.get(member.id))
        return scheme.lower() == "acct" and address.removeprefix("@").lower() in known

    async def change(self, member: Member, text: str) -> Member:
        """Give a member the address ``text``; the empty one is that of their origin.

        Raises Invalid for what is no address, Conflict if it is somebody else's, and Invalid
        where the domain does not lead to the member.
        """
        if not text.strip():
            return await self.accounts.set_address(member, None)
        found = _ADDRESS.fullmatch(text.strip().lower())
        if found is None or len(found[1]) > _LONGEST_NAME:
            raise Invalid("This is no fediverse address: write name@domain.")
        address = f"{found[1]}@{found[2]}"
        if found[2] != member.host:
            await self._check(member, address, found[2])
        return await self.accounts.set_address(member, address)

    async def _check(self, member: Member, address: str, domain: str) -> None:
        scheme = urlsplit(member.origin).scheme
        resource = quote(f"acct:{address}", safe=":@")
        url = f"{scheme}://{domain}/.well-known/webfinger?resource={resource}"
        self._wished[member.id] = address
        try:
            answer = await self.ask(url)
            is_led = answer.status == 200 and _leads(answer.body, member.webid)
        except PodError:
            is_led = False
        finally:
            del self._wished[member.id]
        if not is_led:
            raise Invalid(
                f"{domain} does not lead to you yet: let it redirect /.well-known/webfinger to "
                f"{member.origin}/.well-known/webfinger, with the query, and try again."
            )


def _leads(body: bytes, actor: Iri) -> bool:
    """Whether a WebFinger document has the actor as its ``self``."""
    try:
        document = orjson.loads(body)
        links = document.get("links", [])
        return any(link.get("rel") == "self" and link.get("href") == actor for link in links)
    except (orjson.JSONDecodeError, AttributeError, TypeError):
        return False
