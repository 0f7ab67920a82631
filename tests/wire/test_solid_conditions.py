"""Conditions of authorizations on app and issuer, and lists that would lock their owner out.

Spec: https://solid.github.io/web-access-control-spec/#access-conditions
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from pod.model.ids import Iri
from tests.kit.solid_host import Host, told
from tests.wire.test_solid_access import BOB, HEAD, TTL, does, rule, share

APP = Iri("https://app.example/id")
ISSUER = Iri("https://issuer.example/")
CLIENT = f"acl:condition [ a acl:ClientCondition ; acl:client <{APP}> ]"
ISSUED = f"acl:condition [ a acl:IssuerCondition ; acl:issuer <{ISSUER}> ]"
GROUPED = "acl:condition [ a acl:{0}Condition ; acl:{1}Group </data/apps#good> ]"


def as_bob_with(host: Host, client: Iri | None, issuer: Iri | None) -> None:
    bob = host.tokens.agents["bob"]
    host.tokens.agents["bob"] = replace(bob, client=client, issuer=issuer)


@pytest.mark.parametrize(
    ("condition", "client", "issuer", "status"),
    [
        (CLIENT, APP, None, 200),
        (CLIENT, Iri("https://evil.example/id"), None, 403),
        (CLIENT, None, None, 403),
        (ISSUED, None, ISSUER, 200),
        (ISSUED, APP, Iri("https://other.example/"), 403),
        (f"{CLIENT} ; {ISSUED}", APP, ISSUER, 200),
        (f"{CLIENT} ; {ISSUED}", APP, None, 403),
        (f"{CLIENT} ; {ISSUED}", None, ISSUER, 403),
        (GROUPED.format("Client", "client"), APP, None, 200),
        (GROUPED.format("Client", "client"), ISSUER, None, 403),
        (GROUPED.format("Issuer", "issuer"), None, APP, 200),
        ("acl:condition [ a acl:ClientCondition ; acl:clientClass foaf:Agent ]", None, None, 200),
        ("acl:condition [ a acl:IssuerCondition ; acl:issuerClass foaf:Agent ]", None, None, 200),
        ("acl:condition [ a acl:ClientCondition ]", APP, ISSUER, 403),
        ("acl:condition [ a acl:TimeCondition ]", APP, ISSUER, 200),
        (f"{CLIENT} ; acl:condition [ a acl:TimeCondition ]", APP, ISSUER, 200),
        (f"{CLIENT} ; acl:condition [ a acl:TimeCondition ]", None, ISSUER, 403),
        ("acl:condition <https://elsewhere.example/#condition>", APP, ISSUER, 403),
    ],
)
def test_an_authorization_counts_only_where_all_of_its_conditions_hold(
    condition: str, client: Iri | None, issuer: Iri | None, status: int
) -> None:
    async def story(host: Host) -> None:
        group = f"<#good> <http://www.w3.org/2006/vcard/ns#hasMember> <{APP}> ."
        await host.ask("PUT", "/data/apps", group, Content_Type=TTL)
        await share(host, rule(f"{BOB} ; {condition}", "acl:Read"))
        as_bob_with(host, client, issuer)
        assert await does(host, "read", "bob") == status
        assert await does(host, "read", None) == 401

    told(story)


def test_a_list_signals_which_conditions_are_understood() -> None:
    async def story(host: Host) -> None:
        answer = await host.ask("HEAD", "/data/.acl")
        for kind in ("Client", "Issuer"):
            link = f"<http://www.w3.org/ns/auth/acl#{kind}Condition>"
            assert (
                f'{link}; rel="http://www.w3.org/ns/auth/acl#condition"' in answer.headers["Link"]
            )
        other = await host.ask("HEAD", "/data/")
        assert "acl#condition" not in other.headers["Link"]

    told(story)


PATCH = """@prefix solid: <http://www.w3.org/ns/solid/terms#> .
@prefix acl: <http://www.w3.org/ns/auth/acl#> .
<> a solid:InsertDeletePatch ; solid:deletes { <#owner> acl:mode acl:Control } ."""


@pytest.mark.parametrize(
    "body",
    [
        "",
        HEAD.replace(", acl:Control", ""),
        HEAD.replace("acl:accessTo <./> ;", ""),
        HEAD.replace("acl:agent </me> ;", ""),
        HEAD + rule("acl:agentClass foaf:Agent", "acl:Read", "acl:accessTo </data/other>"),
        HEAD + rule("acl:agentClass foaf:Agent", "acl:Read", "acl:default <sub/>"),
    ],
)
@pytest.mark.parametrize("path", ["/data/.acl", "/data/f/.acl"])
def test_a_list_that_locks_out_or_speaks_of_something_else_is_refused(body: str, path: str) -> None:
    async def story(host: Host) -> None:
        await host.ask("PUT", path, HEAD, Content_Type=TTL)
        before = host.stored(path)
        refused = await host.ask("PUT", path, body, Content_Type=TTL)
        assert refused.status_code == 422
        patched = await host.ask("PATCH", path, PATCH, Content_Type="text/n3")
        assert patched.status_code == 422
        assert host.stored(path) == before

    told(story)


def test_a_list_that_is_not_well_formed_is_refused() -> None:
    async def story(host: Host) -> None:
        refused = await host.ask("PUT", "/data/f/.acl", HEAD[:-1] + " [", Content_Type=TTL)
        assert refused.status_code == 400
        assert host.stored("/data/f/.acl") is None

    told(story)


def test_an_app_of_another_origin_gets_nothing_from_a_rule_for_everybody_in_one_app() -> None:
    async def story(host: Host) -> None:
        who = "acl:agentClass foaf:Agent ; acl:origin <https://good.example>"
        await share(host, rule(who, "acl:Read"))
        for origin, status in (("https://good.example", 200), ("https://evil.example", 401)):
            got = await host.ask("GET", "/data/f/doc", as_=None, Origin=origin)
            assert got.status_code == status

    told(story)
