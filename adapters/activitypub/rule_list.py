"""Domain blocks and allowed domains as Mastodon's CSV files, both ways.

Spec: https://docs.joinmastodon.org/admin/moderation/ (export and import of domain blocks)
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from adapters.activitypub.federation import parse_domain
from pod.errors import Invalid, TooLarge
from pod.model.moderation import DomainRule, Severity

MAX_RULES: Final = 20_000
_BLOCKS: Final = (
    "#domain", "#severity", "#reject_media", "#reject_reports", "#public_comment", "#obfuscate",
)  # fmt: skip
_ALLOWS: Final = ("#domain",)


def export(rules: Sequence[DomainRule], *, allowed: bool) -> str:
    """The blocks, or the allowed domains, among rules. Private comments stay here."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_ALLOWS if allowed else _BLOCKS)
    for rule in rules:
        if (rule.severity is Severity.ALLOW) is not allowed:
            continue
        row = [rule.domain] if allowed else [
            rule.domain,
            rule.severity.value,
            _said(rule.reject_media),
            _said(rule.reject_reports),
            rule.public_comment,
            _said(rule.obfuscate),
        ]  # fmt: skip
        writer.writerow(row)
    return out.getvalue()


def read(text: str, now: datetime, *, allowed: bool) -> list[DomainRule]:
    """The rules of a file, with or without a heading; a bare list of domains shuts them out.

    Raises Invalid for a line that is no rule, TooLarge.
    """
    heading: Sequence[str] = _BLOCKS
    found: list[DomainRule] = []
    for number, row in enumerate(csv.reader(io.StringIO(text.removeprefix("\ufeff")))):
        if number == 0 and row and row[0].strip().lower() in ("#domain", "domain"):
            heading = ["#" + name.strip().lower().removeprefix("#") for name in row]
            continue
        if not row or not row[0].strip():
            continue
        if len(found) == MAX_RULES:
            raise TooLarge(f"A list may have at most {MAX_RULES} rules.")
        found.append(_rule(dict(zip(heading, row, strict=False)), now, allowed=allowed))
    if not found:
        raise Invalid("The list is empty.")
    return found


def _rule(row: dict[str, str], now: datetime, *, allowed: bool) -> DomainRule:
    domain = parse_domain(row.get("#domain", ""))
    word = row.get("#severity", "").strip().lower() or Severity.SUSPEND.value
    try:
        severity = Severity.ALLOW if allowed else Severity(word)
    except ValueError as err:
        raise Invalid(f"{word[:40]} is no severity.") from err
    return DomainRule(
        domain,
        severity,
        now,
        _is_yes(row, "#reject_media"),
        _is_yes(row, "#reject_reports"),
        _is_yes(row, "#obfuscate"),
        row.get("#public_comment", "").strip(),
    )


def _is_yes(row: dict[str, str], name: str) -> bool:
    return row.get(name, "").strip().lower() in ("true", "1", "yes")


def _said(value: bool) -> str:
    return "true" if value else "false"
