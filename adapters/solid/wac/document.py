"""Access control documents: from RDF to the rules that the one policy reads.

Spec: https://solidproject.org/TR/wac
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from pyoxigraph import BlankNode, Literal, NamedNode

from adapters.solid.rdf.parse import TURTLE, Graph, parse_rdf
from adapters.solid.rdf.vocab import ACL, FOAF, RDF, VCARD
from adapters.solid.rdf.write import write_turtle
from pod.access.acl import Acl, AgentClass, Mode, Rule
from pod.errors import PodError
from pod.model.ids import Iri
from pod.model.resource import Resource

_MAX_GROUPS: Final = 256
_MODES: Final = {
    ACL.Read: Mode.READ,
    ACL.Append: Mode.APPEND,
    ACL.Write: Mode.WRITE,
    ACL.Control: Mode.CONTROL,
}
_CLASSES: Final[dict[NamedNode, AgentClass]] = {
    FOAF.Agent: "public",
    ACL.AuthenticatedAgent: "authenticated",
}

Properties = dict[NamedNode, list[NamedNode | BlankNode | Literal]]
Members = Callable[[object], list[Iri]]


class WacDocuments:
    """Reads stored access control and group documents; the policy's `AclReader`.

    A stored document that cannot be read grants nothing: the policy fails closed.
    """

    def __init__(self) -> None:
        self._groups: dict[tuple[bytes, str], dict[str, set[Iri]]] = {}

    def acl(self, document: Resource, base: Iri) -> Acl:
        """The rules of an access control document."""
        try:
            graph = parse_rdf(document.body, document.media_type, base, only_default=True)
            acl = compile_acl(graph)
        except PodError:
            return Acl()
        origin = base[: base.index("/", base.index("://") + 3)]
        alias, webid = Iri(f"{origin}/profile/card#me"), Iri(f"{origin}/me")
        return Acl(tuple(_without_alias(rule, alias, webid) for rule in acl.rules))

    def group(self, document: Resource, base: Iri, group: Iri) -> frozenset[Iri]:
        """The members of a group that a document describes; empty if it does not."""
        key = (document.cid, base)
        if key not in self._groups:
            if len(self._groups) >= _MAX_GROUPS:
                self._groups.clear()
            self._groups[key] = _members_by_group(document, base)
        return frozenset(self._groups[key].get(group, ()))


def _members_by_group(document: Resource, base: Iri) -> dict[str, set[Iri]]:
    try:
        graph = parse_rdf(document.body, document.media_type, base, only_default=True)
    except PodError:
        return {}
    found: dict[str, set[Iri]] = {}
    for triple in graph:
        group, member = triple.subject, triple.object
        if triple.predicate != VCARD.hasMember:
            continue
        if isinstance(group, NamedNode) and isinstance(member, NamedNode):
            found.setdefault(group.value, set()).add(Iri(member.value))
    return found


def compile_acl(graph: Graph) -> Acl:
    """The rules of an access control graph: one for each applicable `acl:Authorization`.

    An authorization with a condition that is not understood grants nothing.
    """
    nodes: dict[NamedNode | BlankNode, Properties] = {}
    for triple in graph:
        assert isinstance(triple.subject, NamedNode | BlankNode)
        assert isinstance(triple.object, NamedNode | BlankNode | Literal)
        nodes.setdefault(triple.subject, {}).setdefault(triple.predicate, []).append(triple.object)

    def members(group: object) -> list[Iri]:
        """Who is in a group that the list itself describes."""
        described = nodes.get(group, {}) if isinstance(group, NamedNode | BlankNode) else {}
        return [Iri(member.value) for member in _iris(described, VCARD.hasMember)]

    return Acl(
        tuple(
            rule
            for properties in nodes.values()
            if ACL.Authorization in properties.get(RDF.type, []) and ACL.condition not in properties
            for rule in _rules(properties, members)
        )
    )


def _without_alias(rule: Rule, alias: Iri, webid: Iri) -> Rule:
    """The rule with the member's WebID in place of the name that older apps know them by."""
    if alias not in rule.agents:
        return rule
    return replace(rule, agents=rule.agents - {alias} | {webid})


def _rules(properties: Properties, members: Members) -> list[Rule]:
    modes = frozenset(_MODES[m] for m in _iris(properties, ACL.mode) if m in _MODES)
    agents = frozenset(Iri(a.value) for a in _iris(properties, ACL.agent)) | {
        member for group in properties.get(ACL.agentGroup, []) for member in members(group)
    }
    groups = frozenset(Iri(g.value) for g in _iris(properties, ACL.agentGroup))
    origins = frozenset(o.value.rstrip("/") for o in _iris(properties, ACL.origin))
    classes = frozenset(_CLASSES[c] for c in _iris(properties, ACL.agentClass) if c in _CLASSES)
    targets = [(Iri(t.value), None) for t in _iris(properties, ACL.accessTo)]
    inherited = [(None, Iri(t.value)) for t in _iris(properties, ACL.default)]
    is_limited = ACL.origin in properties
    if not modes or not (agents or groups or classes) or (is_limited and not origins):
        return []
    return [
        Rule(modes, agents, classes, groups, origins, access_to=access_to, default=default)
        for access_to, default in (*targets, *inherited)
    ]


def _iris(properties: Properties, predicate: NamedNode) -> list[NamedNode]:
    return [term for term in properties.get(predicate, []) if isinstance(term, NamedNode)]


def owner_acl(container: Iri, owner: Iri) -> bytes:
    """A Turtle list that gives the owner everything in a container, and nobody else anything."""
    graph = parse_rdf(
        f"""<#owner> a <{ACL.iri}Authorization> ; <{ACL.iri}agent> <{owner}> ;
        <{ACL.iri}accessTo> <{container}> ; <{ACL.iri}default> <{container}> ;
        <{ACL.iri}mode> <{ACL.iri}Read>, <{ACL.iri}Write>, <{ACL.iri}Control> .""".encode(),
        TURTLE,
        f"{container}.acl",
    )
    return write_turtle(graph)
