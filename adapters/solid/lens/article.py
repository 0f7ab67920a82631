"""Article <-> RDF: as:Article and schema:Article.

Spec: https://www.w3.org/TR/activitystreams-vocabulary/#dfn-article https://schema.org/Article
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pyoxigraph import Literal, NamedNode

from adapters.solid.lens.edit import (
    Changes,
    Lens,
    Place,
    facts,
    moment,
    one_text,
    texts_after,
)
from adapters.solid.rdf.parse import Graph
from adapters.solid.rdf.vocab import AS, DCT, RDF, SCHEMA
from pod.errors import Conflict
from pod.model.article import Article
from pod.records.cid import cid_text

_CLASSES: Final = (AS.Article, SCHEMA.Article)
_TITLES: Final = (DCT.title, AS.name, SCHEMA.headline)
_BODIES: Final = (SCHEMA.articleBody,)


def show(article: Article, place: Place) -> Graph:
    """The default view of an article."""
    topic, webid = place.topic, NamedNode(place.author.webid)
    cover = article.cover
    picture = place.author.url(f"/blobs/{cid_text(cover.cid)}") if cover is not None else None
    summary = Literal(article.summary) if article.summary is not None else None
    return facts(
        topic,
        *((RDF.type, kind) for kind in _CLASSES),
        (AS.attributedTo, webid),
        (SCHEMA.author, webid),
        *((predicate, Literal(article.title)) for predicate in _TITLES),
        (SCHEMA.articleBody, Literal(article.content)),
        (SCHEMA.encodingFormat, Literal(f"text/{article.format}")),
        (AS.published, moment(article.created_at) if article.created_at is not None else None),
        (AS.summary, summary),
        *((SCHEMA.keywords, Literal(tag)) for tag in dict.fromkeys(article.tags)),
        (AS.image, NamedNode(picture) if picture is not None else None),
        (AS.to, AS.Public),
    )


def edit(article: Article, changes: Changes, place: Place) -> Article:  # noqa: ARG001  a lens's shape
    """The article after an edit of its view; see `Lens.edit`."""
    for field, change in changes.items():
        if field == "tags":
            article = replace(article, tags=texts_after(article.tags, field, change))
            continue
        value = one_text(field, change)
        if value is None:
            raise Conflict(f"An article keeps its {field}")
        if field == "title":
            article = replace(article, title=value.value)
        else:
            article = replace(article, content=value.value)
    return article


def blank(now: str) -> Article:
    """An article that as yet says nothing, in the one lexicon that keeps its text as it is."""
    return Article("", "", "markdown", created_at=now)


LENS: Final = Lens[Article](
    classes=_CLASSES,
    editable={
        **dict.fromkeys(_TITLES, "title"),
        **dict.fromkeys(_BODIES, "content"),
        SCHEMA.keywords: "tags",
    },
    derived=frozenset(
        {AS.attributedTo, SCHEMA.author, SCHEMA.encodingFormat, AS.published, AS.summary}
        | {AS.image, AS.to, AS.cc}
    ),
    show=show,
    edit=edit,
)
