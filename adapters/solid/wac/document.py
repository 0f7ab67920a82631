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
from pod.access.acl import About, Acl, AgentClass, Condition, Mode, Rule
from pod.errors import PodError, Unprocessable
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
CONDITIONS: Final = (ACL.ClientCondition, ACL.IssuerCondition)
"""The condition types that are understood, as every list signals them."""

_ABOUT: Final[dict[NamedNode, About]] = {
    ACL.ClientCondition: "client",
    ACL.IssuerCondition: "issuer",
}

Properties = dict[NamedNode, list[NamedNode | BlankNode | Literal]]
Described = Callable[[object], Properties]


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
            self._groups[key] = members_by_group(document.body, document.media_type, base)
        return frozenset(self._groups[key].get(group, ()))


def members_by_group(body: bytes, media_type: str, base: str) -> dict[str, set[Iri]]:
    """Who a document says is in which group; nobody, if it cannot be read."""
    try:
        graph = parse_rdf(body, media_type, base, only_default=True)
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

    An authorization with a condition of no kind at all grants nothing.
    """
    nodes = _nodes(graph)

    def described(node: object) -> Properties:
        return nodes.get(node, {}) if isinstance(node, NamedNode | BlankNode) else {}

    return Acl(
        tuple(
            rule
            for properties in nodes.values()
            if ACL.Authorization in properties.get(RDF.type, [])
            for rule in _rules(properties, described)
        )
    )


def check_acl(graph: Graph, subject: Iri) -> None:
    """Refuse a list that would lock its owner out by accident; raises Unprocessable.

    Somebody must keep Control of ``subject``, and no authorization may be about anything else: it
    would grant nothing, whatever its author believes.
    """
    for properties in _nodes(graph).values():
        if ACL.Authorization not in properties.get(RDF.type, []):
            continue
        for about in (*properties.get(ACL.accessTo, []), *properties.get(ACL.default, [])):
            if not isinstance(about, NamedNode) or about.value != subject:
                raise Unprocessable(f"This list can only speak of {subject}, not of {about}")
    rules = compile_acl(graph).rules
    if not any(rule.access_to == subject and Mode.CONTROL in rule.modes for rule in rules):
        raise Unprocessable("This list leaves nobody with acl:Control of what it is about")


def _nodes(graph: Graph) -> dict[NamedNode | BlankNode, Properties]:
    nodes: dict[NamedNode | BlankNode, Properties] = {}
    for triple in graph:
        assert isinstance(triple.subject, NamedNode | BlankNode)
        assert isinstance(triple.object, NamedNode | BlankNode | Literal)
        nodes.setdefault(triple.subject, {}).setdefault(triple.predicate, []).append(triple.object)
    return nodes


def _without_alias(rule: Rule, alias: Iri, webid: Iri) -> Rule:
    """The rule with the member's WebID in place of the name that older apps know them by."""
    if alias not in rule.agents:
        return rule
    return replace(rule, agents=rule.agents - {alias} | {webid})


def _rules(properties: Properties, described: Described) -> list[Rule]:
    modes = frozenset(_MODES[m] for m in _iris(properties, ACL.mode) if m in _MODES)
    agents, groups = _listed(properties, ACL.agent, ACL.agentGroup, described)
    origins = frozenset(o.value.rstrip("/") for o in _iris(properties, ACL.origin))
    classes = frozenset(_CLASSES[c] for c in _iris(properties, ACL.agentClass) if c in _CLASSES)
    targets = [(Iri(t.value), None) for t in _iris(properties, ACL.accessTo)]
    inherited = [(None, Iri(t.value)) for t in _iris(properties, ACL.default)]
    is_limited = ACL.origin in properties
    conditions = _conditions(properties, described)
    if not modes or not (agents or groups or classes) or (is_limited and not origins):
        return []
    if conditions is None:
        return []
    return [
        Rule(modes, agents, classes, groups, origins, access_to, default, conditions)
        for access_to, default in (*targets, *inherited)
    ]


def _listed(
    properties: Properties, one: NamedNode, many: NamedNode, described: Described
) -> tuple[frozenset[Iri], frozenset[Iri]]:
    """Who is named, members of groups that the list itself describes included, and all groups."""
    named = {Iri(who.value) for who in _iris(properties, one)}
    for group in properties.get(many, []):
        named |= {Iri(member.value) for member in _iris(described(group), VCARD.hasMember)}
    return frozenset(named), frozenset(Iri(g.value) for g in _iris(properties, many))


def _conditions(properties: Properties, described: Described) -> tuple[Condition, ...] | None:
    """The conditions of an authorization that count, None if one of them is of no kind at all.

    Kinds that lists do not signal are not used (`server-condition-evaluation`).
    """
    found: list[Condition] = []
    for node in properties.get(ACL.condition, []):
        kinds = described(node).get(RDF.type, [])
        if not kinds:
            return None
        meant = [_ABOUT[kind] for kind in CONDITIONS if kind in kinds]
        found += (_condition(about, described(node), described) for about in meant)
    return tuple(found)


def _condition(about: About, properties: Properties, described: Described) -> Condition:
    agents, groups = _listed(properties, ACL[about], ACL[f"{about}Group"], described)
    anybody = FOAF.Agent in properties.get(ACL[f"{about}Class"], [])
    return Condition(about, agents, groups, anybody)


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
