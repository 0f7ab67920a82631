"""The documents of the vocabulary: what each ``lex:`` term means, for programs and for people.

The document of ``lex:NSID`` and of ``lex:NSID#key`` is ``/ns/lex/NSID``.

Spec: https://www.w3.org/TR/swbp-vocab-pub/ https://atproto.com/specs/lexicon
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from pyoxigraph import NamedNode
from quart import Response

from adapters.http.views import Ask, Rendered, View
from adapters.solid.lens.lexicon import BASICS, Term, graph, terms, title
from adapters.solid.rdf.parse import JSONLD, NTRIPLES, TURTLE
from adapters.solid.rdf.vocab import LEX
from adapters.solid.rdf.write import write_rdf
from adapters.solid.routes.storage import answer_with
from adapters.solid.wing import VARIANTS, Wing, headers_of
from pod.errors import NotFound
from pod.model.ids import Nsid

VOCABULARY: Final = "/ns/lex/"
_HTML: Final = "text/html; charset=utf-8"
_POLICY: Final = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><link rel="stylesheet" href="/assets/style.css">
<main><h1>{title}</h1><p>{about}</p><dl>
{terms}
</dl>{more}</main></html>
"""
_ABOUT: Final = (
    "The terms under which records of the AT Protocol are shown as RDF. Those of a lexicon "
    "are described in its own document."
)


async def show(wing: Wing, name: str) -> Response:
    """Answer GET of the vocabulary, or of the part of it that one lexicon makes."""
    target = await wing.target()
    lexicons = wing.lexicons
    nsid = Nsid(name.split("/")[0])
    if nsid and not lexicons.has(nsid):
        raise NotFound(f"No lexicon {nsid[:317]} is known here; its keys are shown as they are")
    defined = terms(lexicons, nsid) if nsid else list(BASICS)
    about = title(lexicons, nsid) if nsid else _ABOUT
    document = target.member.url(f"{VOCABULARY}{nsid}")
    headers = headers_of("fixed", target)

    async def page(_: Ask) -> Rendered:
        names = () if nsid else sorted(lexicons.names())
        body = _page(nsid or LEX.iri, about or "", defined, names)
        return Rendered(body, _HTML, {**headers, "Content-Security-Policy": _POLICY})

    def view(media: str) -> View:
        async def render(_: Ask) -> Rendered:
            shown = graph(NamedNode(document), nsid or LEX.iri, about, defined)
            return Rendered(write_rdf(shown, media), media, headers)

        return View(VARIANTS[media], (media,), render, shows_more=True)

    as_rdf = [view(media) for media in (TURTLE, JSONLD, NTRIPLES)]
    return await answer_with(target, [*as_rdf, View("html", ("text/html",), page, shows_more=True)])


def _page(name: str, about: str, defined: list[Term], others: Sequence[Nsid]) -> bytes:
    links = "".join(f'<li><a href="{VOCABULARY}{n}">{n}</a></li>' for n in others)
    return _PAGE.format(
        title=escape(name),
        about=escape(about),
        terms="\n".join(map(_entry, defined)),
        more=f"<h2>Lexicons</h2><ul>{links}</ul>" if links else "",
    ).encode()


def _entry(term: Term) -> str:
    name = term.iri.value.removeprefix(LEX.iri)
    kinds = " or ".join(kind.value for kinds in term.ranges for kind in kinds)
    told = [f"<code>{escape(term.iri.value)}</code>", escape(term.kind.value.rpartition("#")[2])]
    told += [escape(text) for text in term.comments]
    told += [f"Values: {escape(kinds)}"] if kinds else []
    told += [f"Also shown as {escape(kind.value)}" for kind in term.wider]
    body = "".join(f"<dd>{text}</dd>" for text in told)
    return f'<dt id="{escape(name.partition("#")[2] or name)}">{escape(term.label)}</dt>{body}'
