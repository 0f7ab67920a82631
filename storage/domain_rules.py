"""The administrator's rules for other servers, all in memory too: every request from one asks."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, select

from pod.model.moderation import DomainRule, Severity
from storage.engine import Database
from storage.moderation_tables import domain_rule
from storage.rows import Row, from_us, to_us
from storage.statements import compiled, given, upsert

_ALL: Final = compiled(select(domain_rule))
_PUT: Final = upsert(domain_rule)
_REMOVE: Final = compiled(delete(domain_rule).where(domain_rule.c.domain == given("domain")))


class StoredDomainRules:
    """Rules by domain; reads are look-ups in memory, writes durable when they return."""

    def __init__(self, database: Database) -> None:
        self._database = database
        rows = database.read.execute(_ALL).fetchall()
        self._rules = {rule.domain: rule for rule in map(_rule_of, rows)}

    def get(self, domain: str) -> DomainRule | None:
        """The rule for exactly this domain."""
        return self._rules.get(domain)

    def all(self) -> list[DomainRule]:
        """Every rule, by domain."""
        return sorted(self._rules.values(), key=lambda rule: rule.domain)

    async def put(self, rule: DomainRule) -> None:
        """Add or replace the rule for a domain."""
        row = (
            rule.domain,
            rule.severity,
            to_us(rule.at),
            rule.reject_media,
            rule.reject_reports,
            rule.obfuscate,
            rule.public_comment,
            rule.private_comment,
        )
        await self._database.write(lambda tx: tx.execute(_PUT, row))
        self._rules[rule.domain] = rule

    async def remove(self, domain: str) -> None:
        """Drop the rule for a domain, if there is one."""
        await self._database.write(lambda tx: tx.execute(_REMOVE, (domain,)))
        self._rules.pop(domain, None)


def _rule_of(row: Row) -> DomainRule:
    domain, severity, at, media, reports, obfuscate, public, private = row
    return DomainRule(
        domain,
        Severity(severity),
        from_us(at),
        bool(media),
        bool(reports),
        bool(obfuscate),
        public,
        private,
    )
