"""Which servers this pod talks to, by the administrator's rules: asked before any other work.

Spec: https://docs.joinmastodon.org/admin/moderation/#server-wide-moderation
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

import idna

from adapters.activitypub.ports import DomainRules, Egress
from adapters.http.fetch import Fetched, HeadersFor
from pod.errors import Forbidden, Invalid
from pod.model.ids import Iri
from pod.model.moderation import DomainRule, Severity

_DOMAIN: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63}")
_REJECTED: Final = ("attachment", "icon", "image")


class Federation:
    """The rules as decisions. A rule for a domain holds for all below it; the nearest one counts.

    With ``allow_list`` nobody is talked to but those that a rule allows. What is of this pod is
    never refused.
    """

    def __init__(
        self, rules: DomainRules, is_local: Callable[[str], bool], *, allow_list: bool = False
    ) -> None:
        self._rules = rules
        self._is_local = is_local
        self._allow_list = allow_list

    def rule(self, iri: str) -> DomainRule | None:
        """The rule for the server that an IRI is of."""
        return next(filter(None, map(self._rules.get, upwards(domain_of(iri)))), None)

    def refuses(self, iri: str) -> bool:
        """Whether nothing is taken from and nothing sent to the server of an IRI."""
        rule = self.rule(iri)
        if rule is None or rule.severity is not Severity.SUSPEND:
            is_allowed = rule is not None and rule.severity is Severity.ALLOW
            return self._allow_list and not is_allowed and not self._is_local(iri)
        return not self._is_local(iri)

    def require(self, iri: str) -> None:
        """Pass, or raise Forbidden for a server that this pod does not talk to."""
        if self.refuses(iri):
            raise Forbidden("This server does not federate with yours.")

    def silences(self, iri: str) -> bool:
        """Whether the people of a server are kept from members who do not follow them."""
        rule = self.rule(iri)
        return rule is not None and rule.severity is Severity.SILENCE

    def takes_reports(self, iri: str) -> bool:
        """Whether reports of a server are kept."""
        rule = self.rule(iri)
        return rule is None or not rule.reject_reports

    def takes_media(self, iri: str) -> bool:
        """Whether pictures and files of a server are shown."""
        rule = self.rule(iri)
        return rule is None or not rule.reject_media

    def without_media(self, document: dict[str, object], of: str) -> dict[str, object]:
        """A document as it is kept: without files, where the server's are not wanted."""
        if self.takes_media(of):
            return document
        return {key: value for key, value in document.items() if key not in _REJECTED}


class GuardedEgress:
    """An egress that reaches no server with which the pod does not federate."""

    def __init__(self, egress: Egress, federation: Federation) -> None:
        self._egress = egress
        self._federation = federation

    async def get(
        self, url: str, headers: HeadersFor | None = None, *, max_bytes: int | None = None
    ) -> Fetched:
        """Get a document; raises Forbidden, and what the egress raises."""
        self._federation.require(url)
        fetched = await self._egress.get(url, headers, max_bytes=max_bytes)
        self._federation.require(fetched.url)
        return fetched

    async def post(
        self,
        url: str,
        body: bytes,
        headers: HeadersFor | None = None,
        *,
        max_bytes: int | None = None,
    ) -> Fetched:
        """Post a body; raises Forbidden, and what the egress raises."""
        self._federation.require(url)
        return await self._egress.post(url, body, headers, max_bytes=max_bytes)


def domain_of(iri: str) -> str:
    """The host of an IRI, without port."""
    return (urlsplit(iri).hostname or "").lower()


def upwards(domain: str) -> Iterator[str]:
    """A domain, then each domain above it."""
    while domain:
        yield domain
        domain = domain.partition(".")[2]


def parse_domain(text: str) -> str:
    """A domain as rules name it: lower case, as on the wire; raises Invalid."""
    try:
        domain = _on_the_wire(text.strip().lower().removeprefix("@").rstrip("."))
    except UnicodeError as err:  # an IDNAError is one
        raise Invalid(f"{text.strip()[:100]} is not a domain.") from err
    if not _DOMAIN.fullmatch(domain) or len(domain) > 253:
        raise Invalid(f"{text.strip()[:100]} is not a domain.")
    return domain


def _on_the_wire(domain: str) -> str:
    """A domain by IDNA 2008, as browsers have it; what exists without its blessing, by 2003."""
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return domain.encode("idna").decode()


def domain_iri(domain: str) -> Iri:
    """How a domain as a whole is named."""
    return Iri(f"https://{domain}/")
