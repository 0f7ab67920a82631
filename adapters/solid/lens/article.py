"""Article <-> RDF: as:Article and schema:Article.

Spec: https://www.w3.org/TR/activitystreams-vocabulary/#dfn-article https://schema.org/Article
"""

from __future__ import annotations

from typing import Any, Final

from pyoxigraph import Literal

from adapters.solid.lens.edit import Place, facts
from adapters.solid.lens.flat import MOMENT, PICTURE, TEXT, TEXTS, Table
from adapters.solid.rdf.parse import Graph
from adapters.solid.rdf.vocab import AS, DCT, SCHEMA
from pod.model.article import Article


def _more(article: Any, place: Place) -> Graph:
    return facts(
        place.topic,
        (SCHEMA.encodingFormat, Literal(f"text/{article.format}")),
        (AS.to, AS.Public),
    )


LENS: Final = Table(
    classes=(AS.Article, SCHEMA.Article),
    shown={
        "title": (TEXT, (DCT.title, AS.name, SCHEMA.headline)),
        "content": (TEXT, (SCHEMA.articleBody,)),
        "created_at": (MOMENT, (AS.published,)),
        "summary": (TEXT, (AS.summary,)),
        "tags": (TEXTS, (SCHEMA.keywords,)),
        "cover": (PICTURE, (AS.image,)),
    },
    by=(AS.attributedTo, SCHEMA.author),
    more=_more,
    derived=frozenset({SCHEMA.encodingFormat, AS.to, AS.cc}),
).lens(lambda now: Article("", "", "markdown", created_at=now))
