"""N3 Patch: one `solid:InsertDeletePatch`, read from text/n3.

The document is cut into its `{...}` formulae; each is read as Turtle with variables spelled as
IRIs of a scheme that the document cannot contain.

Spec: https://solidproject.org/TR/protocol#n3-patch
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from pyoxigraph import BlankNode, NamedNode, Triple

from adapters.solid.rdf.parse import TURTLE, Graph, parse_rdf
from adapters.solid.rdf.vocab import RDF, SOLID
from pod.access.acl import Mode
from pod.errors import Invalid, TooLarge, Unprocessable

N3: Final = "text/n3"
MAX_PATCH_BYTES: Final = 1024 * 1024
MAX_PATTERNS: Final = 1000

_TOKEN = re.compile(
    r'(?P<text>"""(?:[^"\\]|\\.|"(?!""))*"""'
    r"|'''(?:[^'\\]|\\.|'(?!''))*'''"
    r'|"(?:[^"\\\n\r]|\\.)*"'
    r"|'(?:[^'\\\n\r]|\\.)*'"
    r"|<[^<>\"{}|^`\s]*>)"
    r"|(?P<comment>#[^\n\r]*)"
    r"|(?P<variable>\?[A-Za-z_][\w-]*)"
    r"|(?P<open>\{)|(?P<close>\})"
    r"|(?P<directive>@(?:prefix|base)\b[^<#]*<[^<>\s]*>\s*\."
    r"|(?:prefix\s+[^\s<:]*:|base)\s*<[^<>\s]*>)"
    r"|(?P<word>(?:[^\s<>\"'{}\[\]();,#?\\]|\\.)+)"
    r"|(?P<other>[\s\S])",
    re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch; variables are named nodes whose IRI starts with ``scheme``.

    A strict one (N3 Patch) wants exactly one match and every triple to delete present; a lax one
    (SPARQL Update) takes all matches and does not mind what is missing.
    """

    where: Graph
    deletes: Graph
    inserts: Graph
    scheme: str
    is_strict: bool = True

    @property
    def variables(self) -> str:
        """How the IRI of each variable begins."""
        return f"{self.scheme}var:"

    @property
    def modes(self) -> frozenset[Mode]:
        """What a caller must be allowed to do to apply it."""
        modes = set()
        if self.where:
            modes.add(Mode.READ)
        if self.inserts:
            modes.add(Mode.APPEND)
        if self.deletes:
            modes |= {Mode.READ, Mode.WRITE}
        return frozenset(modes)


def parse_patch(body: bytes, base: str) -> Patch:
    """The patch of a text/n3 document.

    Raises TooLarge over 1 MiB or 1000 patterns, Invalid for what is not N3 of this kind, and
    Unprocessable for a well-formed document that breaks a rule of the patch format.
    """
    if len(body) > MAX_PATCH_BYTES:
        raise TooLarge("A patch may have 1 MiB")
    try:
        text = body.decode()
    except UnicodeDecodeError as err:
        raise Invalid("A patch is UTF-8 text") from err
    scheme = name_scheme(body)
    outer, formulae = cut_formulae(text, scheme)
    _check_labels([outer, *formulae])
    found = _patch_resource(parse_rdf(outer.encode(), TURTLE, base), scheme)
    parts = {
        name: parse_rdf(formulae[index].encode(), TURTLE, base) for name, index in found.items()
    }
    patch = Patch(
        where=parts.get("where", []),
        deletes=parts.get("deletes", []),
        inserts=parts.get("inserts", []),
        scheme=scheme,
    )
    _check(patch)
    return patch


def name_scheme(body: bytes) -> str:
    """A scheme for names that a document cannot contain, because it follows from the document."""
    return f"n3-{hashlib.sha256(body).hexdigest()[:24]}:"


def variables_in(triples: Graph, variables: str) -> set[NamedNode]:
    """The variables that some patterns use."""
    return {
        term
        for triple in triples
        for term in (triple.subject, triple.predicate, triple.object)
        if isinstance(term, NamedNode) and term.value.startswith(variables)
    }


def cut_formulae(text: str, scheme: str) -> tuple[str, list[str]]:
    """The document with each formula replaced by a name, and the formulae as Turtle."""
    outer: list[str] = []
    directives: list[str] = []
    formulae: list[str] = []
    inner: list[str] | None = None
    for token in _TOKEN.finditer(text):
        kind, piece = token.lastgroup, token.group()
        place = outer if inner is None else inner
        if kind == "comment":
            place.append(" ")
        elif kind == "variable":
            if inner is None:
                raise Unprocessable("Variables belong inside the formulae of a patch")
            place.append(f"<{scheme}var:{piece[1:]}>")
        elif kind == "open":
            if inner is not None:
                raise Unprocessable("The formulae of a patch must not be nested")
            inner = []
        elif kind == "close":
            if inner is None:
                raise Invalid("Not well-formed N3: } without {")
            outer.append(f"<{scheme}formula:{len(formulae)}>")
            formulae.append(" ".join(directives) + _statement("".join(inner)))
            inner = None
        elif kind == "directive":
            if inner is not None:
                raise Unprocessable("The formulae of a patch hold triples only")
            directives.append(piece)
            outer.append(piece)
        else:
            place.append(piece)
    if inner is not None:
        raise Invalid("Not well-formed N3: { without }")
    return "".join(outer), formulae


def _statement(text: str) -> str:
    """A formula's text, ended by the dot that N3 lets one leave out."""
    text = text.strip()
    is_ended = not text or (text.endswith(".") and not text.endswith("\\."))
    return " " + text + ("" if is_ended else " .")


def _patch_resource(triples: Graph, scheme: str) -> dict[str, int]:
    """Which formula is which; exactly one patch resource may be described."""
    properties = {SOLID.where: "where", SOLID.deletes: "deletes", SOLID.inserts: "inserts"}
    kinds = {SOLID.InsertDeletePatch, SOLID.Patch}
    subjects = {
        t.subject
        for t in triples
        if t.predicate in properties or (t.predicate == RDF.type and t.object in kinds)
    }
    if len(subjects) != 1:
        raise Unprocessable(f"A patch document holds one patch; here are {len(subjects)}")
    [patch] = subjects
    if Triple(patch, RDF.type, SOLID.InsertDeletePatch) not in triples:
        raise Unprocessable("The patch must be a solid:InsertDeletePatch")
    found: dict[str, int] = {}
    for triple in triples:
        name = properties.get(triple.predicate)
        if name is None:
            continue
        value = triple.object
        if not isinstance(value, NamedNode) or not value.value.startswith(f"{scheme}formula:"):
            raise Unprocessable(f"solid:{name} must be a formula")
        if name in found:
            raise Unprocessable(f"A patch may have one solid:{name}")
        found[name] = int(value.value.rpartition(":")[2])
    return found


def _check_labels(places: list[str]) -> None:
    """Refuse a blank node label that is used in two places: it would not mean one node."""
    seen: set[str] = set()
    for place in places:
        words = [p.group() for p in _TOKEN.finditer(place) if p.lastgroup == "word"]
        labels = {word.rstrip(".") for word in words if word.startswith("_:")}
        if labels & seen:
            raise Unprocessable("A blank node label must not be used in two formulae")
        seen |= labels


def _check(patch: Patch) -> None:
    if len(patch.where) > MAX_PATTERNS:
        raise TooLarge(f"A patch may have {MAX_PATTERNS} conditions")
    bound = variables_in(patch.where, patch.variables)
    for name, triples in (("deletes", patch.deletes), ("inserts", patch.inserts)):
        if variables_in(triples, patch.variables) - bound:
            raise Unprocessable(f"solid:{name} uses a variable that solid:where does not bind")
    if any(isinstance(term, BlankNode) for t in patch.deletes for term in (t.subject, t.object)):
        raise Unprocessable("solid:deletes must not contain blank nodes")
