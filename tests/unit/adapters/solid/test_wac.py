"""Access control documents become rules, and nothing unclear grants anything."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from adapters.solid.rdf.parse import TURTLE, parse_rdf
from adapters.solid.wac.document import WacDocuments, compile_acl, owner_acl
from adapters.solid.wac.headers import acl_url, wac_allow
from pod.access.acl import Acl, Mode, Rule
from pod.model.ids import Iri, MemberId, Tid
from pod.model.resource import Resource, ResourcePath
from pod.records.cid import raw_cid

FOLDER = Iri("https://alice.example/data/folder/")
BOB = Iri("https://bob.example/me")
HEAD = """@prefix acl: <http://www.w3.org/ns/auth/acl#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
"""


def compiled(body: str) -> Acl:
    return compile_acl(parse_rdf((HEAD + body).encode(), TURTLE, f"{FOLDER}.acl"))


def document(body: str) -> Resource:
    raw = (HEAD + body).encode()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    path = ResourcePath("/data/folder/.acl")
    return Resource(
        MemberId(1), path, TURTLE, raw_cid(raw), len(raw), raw, Tid("2222222222222"), now, now
    )


def test_an_authorization_becomes_one_rule_for_each_thing_it_is_about() -> None:
    acl = compiled(
        """<#a> a acl:Authorization ; acl:agent <https://bob.example/me> ; acl:accessTo <./> ;
        acl:default <./> ; acl:mode acl:Read, acl:Control ; acl:origin <https://app.example> ."""
    )
    about = {"agents": frozenset({BOB}), "origins": frozenset({"https://app.example"})}
    modes = frozenset({Mode.READ, Mode.CONTROL})
    assert acl == Acl(
        (Rule(modes, access_to=FOLDER, **about), Rule(modes, default=FOLDER, **about))
    )


def test_classes_and_groups_are_kept_apart() -> None:
    [rule] = compiled(
        """[] a acl:Authorization ; acl:agentClass foaf:Agent, acl:AuthenticatedAgent ;
        acl:agentGroup </data/groups#friends> ; acl:accessTo <./> ; acl:mode acl:Append ."""
    ).rules
    assert rule.classes == {"public", "authenticated"}
    assert rule.groups == {"https://alice.example/data/groups#friends"}
    assert not rule.agents


ANYBODY = "<#a> a acl:Authorization ; acl:agentClass foaf:Agent"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<#a> acl:agentClass foaf:Agent ; acl:accessTo <./> ; acl:mode acl:Read .",
        f"{ANYBODY} ; acl:accessTo <./> .",
        f"{ANYBODY} ; acl:mode acl:Read .",
        f'{ANYBODY} ; acl:accessTo <./> ; acl:mode acl:Read ; acl:origin "x" .',
        f"{ANYBODY} ; acl:accessTo <./> ; acl:mode acl:Read ; acl:condition [] .",
        f"{ANYBODY} ; acl:accessTo <./> ; acl:mode acl:Frobnicate .",
        "<#a> a acl:Authorization ; acl:accessTo <./> ; acl:mode acl:Read .",
        "[] a acl:Authorization ; acl:agentClass foaf:Who ; acl:default <./> ; acl:mode acl:Read .",
    ],
)
def test_an_authorization_that_is_not_whole_grants_nothing(body: str) -> None:
    assert compiled(body) == Acl()


def test_a_group_may_be_described_in_the_list_itself() -> None:
    [rule] = compiled(
        """[] a acl:Authorization ; acl:accessTo <./> ; acl:mode acl:Read ;
        acl:agentGroup [ a vcard:Group ; vcard:hasMember <https://bob.example/me> ] ."""
    ).rules
    assert rule.agents == {BOB}


def test_the_name_that_older_apps_use_is_the_owner() -> None:
    body = (
        "[] a acl:Authorization ; acl:agent </profile/card#me>,"
        " <https://x.example/profile/card#me> ;"
        "acl:accessTo <./> ; acl:mode acl:Read ."
    )
    [rule] = WacDocuments().acl(document(body), Iri(f"{FOLDER}.acl")).rules
    assert rule.agents == {"https://alice.example/me", "https://x.example/profile/card#me"}


def test_a_broken_document_grants_nothing() -> None:
    broken = document("<#a> a acl:Authorization ; <<<")
    assert WacDocuments().acl(broken, FOLDER) == Acl()
    assert WacDocuments().group(broken, FOLDER, Iri(f"{FOLDER}#g")) == frozenset()


def test_a_group_has_the_members_that_its_document_names() -> None:
    groups = document("<#g> vcard:hasMember <https://bob.example/me> . <#h> vcard:hasMember <#x> .")
    base = Iri(f"{FOLDER}.acl")
    assert WacDocuments().group(groups, base, Iri(f"{base}#g")) == {BOB}
    assert WacDocuments().group(groups, base, Iri(f"{base}#none")) == frozenset()


def test_the_owner_list_gives_the_owner_everything_here_and_below() -> None:
    acl = compile_acl(parse_rdf(owner_acl(FOLDER, BOB), TURTLE, f"{FOLDER}.acl"))
    everything = frozenset({Mode.READ, Mode.WRITE, Mode.CONTROL})
    agents = frozenset({BOB})
    assert acl.rules == (
        Rule(everything, agents, access_to=FOLDER),
        Rule(everything, agents, default=FOLDER),
    )


def test_wac_allow_names_the_modes_in_order_and_write_includes_append() -> None:
    header = wac_allow({Mode.CONTROL, Mode.WRITE, Mode.READ}, set())
    assert header == 'user="read append write control",public=""'


def test_a_list_is_its_own_list() -> None:
    assert acl_url(FOLDER) == f"{FOLDER}.acl"
    assert acl_url(f"{FOLDER}.acl") == f"{FOLDER}.acl"
