"""The administrator's rules for other servers, and reports: what the command line and pages do.

Spec: https://docs.joinmastodon.org/admin/moderation/ and
https://docs.joinmastodon.org/methods/admin/domain_blocks/ (the fields of a rule)
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import orjson

from adapters.activitypub import rule_list
from adapters.activitypub.deliver.rotation import rotate
from adapters.activitypub.federation import domain_of, parse_domain, upwards
from adapters.activitypub.jsonld.context import AS2, MEDIA_TYPE, with_context
from adapters.activitypub.lens.act import FOLLOWS
from adapters.activitypub.moderation import INBOX
from adapters.activitypub.shield import acts_of, followers_of
from adapters.activitypub.wing import Wing
from pod.access.agent import SYSTEM
from pod.errors import Invalid, NotFound
from pod.model.ids import Handle, Iri, MemberId
from pod.model.member import Member
from pod.model.moderation import DomainRule, Report, Severed, Severity
from pod.model.resource import ResourcePath
from pod.write import Delete, PutDocument

_PAGE: Final = 500
_MOST_WAITING: Final = 10_000
MAX_COMMENT: Final = 2_000


class Administration:
    """Rules and reports; each method is durable when it returns."""

    def __init__(self, wing: Wing) -> None:
        self._wing = wing

    def rules(self) -> list[DomainRule]:
        """Every rule, by domain."""
        return self._wing.rules.all()

    async def rotate_keys(self, handle: str) -> None:
        """New keys for a member's actor, or ("") for the server's; raises NotFound."""
        member = self._wing.reader.member_by_handle(Handle(handle)) if handle else None
        if handle and (member is None or not member.is_active):
            raise NotFound("There is no such member.")
        await rotate(self._wing, member)

    async def set_rule(
        self,
        domain: str,
        severity: Severity,
        *,
        reject_media: bool = False,
        reject_reports: bool = False,
        obfuscate: bool = False,
        public_comment: str = "",
        private_comment: str = "",
    ) -> Severed:
        """Add or replace the rule for a domain and all below it; raises Invalid.

        What ties members to a server that is shut out ends, and they are told.
        """
        rule = DomainRule(
            parse_domain(domain),
            severity,
            self._wing.clock.now(),
            reject_media,
            reject_reports,
            obfuscate,
            public_comment,
            private_comment,
        )
        self._check(rule)
        return await self._put(rule)

    async def import_rules(self, text: str, *, allowed: bool) -> int:
        """Take in a list of blocks or of allowed domains; how many rules there are in it.

        Raises Invalid and TooLarge before anything is changed.
        """
        rules = rule_list.read(text, self._wing.clock.now(), allowed=allowed)
        for rule in rules:
            self._check(rule)
        for rule in rules:
            await self._put(rule)
        return len(rules)

    def export_rules(self, *, allowed: bool) -> str:
        """The blocks, or the allowed domains, as a file for other servers."""
        return rule_list.export(self.rules(), allowed=allowed)

    async def drop_rule(self, domain: str) -> None:
        """Drop the rule for a domain; raises NotFound, and Invalid for what is none."""
        name = parse_domain(domain)
        if self._wing.rules.get(name) is None:
            raise NotFound(f"There is no rule for {name}.")
        await self._wing.rules.remove(name)

    def reports(self, *, only_open: bool = True, limit: int = 200) -> list[Report]:
        """Reports, newest first."""
        return self._wing.reports.newest(limit=limit, only_open=only_open)

    async def resolve(self, report: str) -> None:
        """Note that a report was dealt with; raises NotFound."""
        if not await self._wing.reports.resolve(Iri(report), self._wing.clock.now()):
            raise NotFound("There is no such report.")

    def _check(self, rule: DomainRule) -> None:
        own = urlsplit(self._wing.server)
        netloc = own.netloc.replace(own.hostname or "", rule.domain)
        if self._wing.is_local(own._replace(netloc=netloc).geturl()):
            raise Invalid(f"{rule.domain} is of this server.")
        if max(len(rule.public_comment), len(rule.private_comment)) > MAX_COMMENT:
            raise Invalid(f"A comment has at most {MAX_COMMENT} characters.")

    async def _put(self, rule: DomainRule) -> Severed:
        await self._wing.rules.put(rule)
        return await self._sever(rule.domain) if rule.severity is Severity.SUSPEND else Severed()

    async def _sever(self, domain: str) -> Severed:
        """End all follows between members and a domain, in both directions."""
        severed, after = Severed(), MemberId(0)
        while members := self._wing.reader.members(after=after, limit=_PAGE):
            for member in members:
                followers, followed = await self._sever_from(member, domain)
                if followers or followed:
                    severed = Severed(
                        severed.members + 1,
                        severed.followers + followers,
                        severed.followed + followed,
                    )
            after = members[-1].id
        return severed

    async def _sever_from(self, member: Member, domain: str) -> tuple[int, int]:
        wing = self._wing
        waiting = wing.followers.waiting(member.id, limit=_MOST_WAITING)
        theirs = [
            follower.actor
            for follower in (*followers_of(wing, member), *waiting)
            if domain in upwards(domain_of(follower.actor))
        ]
        own = [
            (path, actor)
            for path, actor in acts_of(wing, member, FOLLOWS)
            if domain in upwards(domain_of(actor))
        ]
        if theirs or own:
            ops = [Delete(path, missing_ok=True) for path, _ in own]
            notice = _notice(wing, member, domain, theirs, [actor for _, actor in own])
            await wing.write.apply(SYSTEM, member.id, [*ops, notice])
        for actor in theirs:
            await wing.followers.remove(member.id, actor, wing.clock.now())
        return len(theirs), len(own)


def _notice(
    wing: Wing, member: Member, domain: str, followers: list[Iri], followed: list[Iri]
) -> PutDocument:
    """What tells a member in their inbox whom they lost."""
    path = ResourcePath(INBOX + wing.tids.next())
    lists = "".join(
        f"<p>{words}</p><ul>{''.join(f'<li>{actor}</li>' for actor in actors)}</ul>"
        for words, actors in (("You were followed by:", followers), ("You followed:", followed))
        if actors
    )
    view = {
        "id": f"{wing.server}/actor#notices/{path.removeprefix(INBOX)}",
        "type": "Note",
        "attributedTo": f"{wing.server}/actor",
        "to": [member.webid],
        "published": wing.clock.now().isoformat().replace("+00:00", "Z"),
        "content": f"<p>This server does not federate with {domain} any more.</p>{lists}",
    }
    return PutDocument(path, MEDIA_TYPE, orjson.dumps(with_context(view, AS2)))
