"""Rules for servers as files, and which rule an address falls under."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.activitypub import rule_list
from adapters.activitypub.federation import Federation, parse_domain, upwards
from pod.errors import Invalid
from pod.model.moderation import DomainRule, Severity

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
domains = st.lists(labels, min_size=1, max_size=4).map(".".join)
words = st.text(st.characters(exclude_categories=["C"]), max_size=30).map(str.strip)
rules = st.builds(
    DomainRule,
    domain=domains,
    severity=st.sampled_from(Severity),
    at=st.just(NOW),
    reject_media=st.booleans(),
    reject_reports=st.booleans(),
    obfuscate=st.booleans(),
    public_comment=words,
    private_comment=st.just("not told"),
)


class Kept:
    """Rules in a dict."""

    def __init__(self, *rules: DomainRule) -> None:
        self._rules = {rule.domain: rule for rule in rules}

    def get(self, domain: str) -> DomainRule | None:
        return self._rules.get(domain)

    def all(self) -> list[DomainRule]:
        return list(self._rules.values())

    async def put(self, rule: DomainRule) -> None:
        self._rules[rule.domain] = rule

    async def remove(self, domain: str) -> None:
        self._rules.pop(domain, None)


@given(st.lists(rules, min_size=1, max_size=5))
def test_blocks_come_back_as_they_went_but_for_what_is_private(found: list[DomainRule]) -> None:
    blocks = [replace(r, private_comment="") for r in found if r.severity is not Severity.ALLOW]
    text = rule_list.export(found, allowed=False)
    assert "not told" not in text
    if blocks:
        assert rule_list.read(text, NOW, allowed=False) == blocks
    else:
        with pytest.raises(Invalid):
            rule_list.read(text, NOW, allowed=False)


def test_a_bare_list_of_domains_shuts_them_out_and_a_wrong_word_is_refused() -> None:
    (one, two) = rule_list.read("a.example\n\nb.example\n", NOW, allowed=False)
    assert (one.domain, one.severity, two.domain) == ("a.example", Severity.SUSPEND, "b.example")
    for text in ("#domain,#severity\na.example,limit\n", "#domain\nno domain\n", "#domain\n"):
        with pytest.raises(Invalid):
            rule_list.read(text, NOW, allowed=False)


@given(domains, domains, st.sampled_from(Severity), st.booleans())
def test_a_rule_holds_for_a_domain_and_all_below_it_and_no_other(
    domain: str, other: str, severity: Severity, allow_list: bool
) -> None:
    kept = Kept(DomainRule(domain, severity, NOW))
    federation = Federation(kept, lambda _: False, allow_list=allow_list)
    refused = {
        Severity.SUSPEND: True,
        Severity.ALLOW: False,
        Severity.SILENCE: allow_list,
        Severity.NOOP: allow_list,
    }[severity]
    for host in (domain, f"sub.{domain}"):
        assert federation.refuses(f"https://{host}/users/x") is refused
        assert federation.silences(f"https://{host}:8443/") is (severity is Severity.SILENCE)
    is_below = domain in upwards(other)
    assert federation.refuses(f"https://{other}/") is (refused if is_below else allow_list)
    assert federation.refuses(f"https://not{domain}/") is allow_list


@given(domains, st.booleans())
def test_what_is_of_this_pod_is_never_refused(domain: str, allow_list: bool) -> None:
    kept = Kept(DomainRule(domain, Severity.SUSPEND, NOW))
    federation = Federation(kept, lambda _: True, allow_list=allow_list)
    assert not federation.refuses(f"https://{domain}/me")


def test_domains_are_written_as_they_are_on_the_wire() -> None:
    assert parse_domain(" Bücher.Example. ") == "xn--bcher-kva.example"
    for text in ("", ".", "a b", "a/b", "*.example", "a..b", "x" * 300):
        with pytest.raises(Invalid):
            parse_domain(text)
