"""The rooms of the wing: which verb on which path is answered by whom.

GET of `/me` and of records is the hall's, because all wings share those URLs.

Spec: https://solidproject.org/TR/protocol#http-server
"""

from __future__ import annotations

from functools import partial
from typing import Final

from quart import Blueprint, Response

from adapters.solid.lens.discovery import PAGES, Discovery
from adapters.solid.paths import (
    CARD,
    ROOT_ACL,
    SETTINGS,
    STORAGE,
    describes_container,
    subject_of,
)
from adapters.solid.query.dataset import Datasets
from adapters.solid.routes import inbox, kept, record, storage, storage_write, vocabulary
from adapters.solid.routes.description import repo_acl, storage_description
from adapters.solid.routes.sparql import ENDPOINT, Endpoint
from adapters.solid.routes.storage import show_container, show_graph
from adapters.solid.routes.vocabulary import VOCABULARY
from adapters.solid.wac.document import owner_acl
from adapters.solid.wing import (
    Kind,
    Target,
    Wing,
    across_origins,
    empty,
    headers_of,
    kind_of,
    options_of,
)
from pod.access.acl import Mode
from pod.errors import Conflict, NotFound

PATHS: Final = ("/data/", "/data/<path:rest>")
WRITE: Final = ["PUT", "PATCH", "DELETE"]


def rooms(wing: Wing) -> Blueprint:
    """Every route of the wing."""
    blueprint = Blueprint("solid", __name__)
    blueprint.after_request(across_origins)
    _storage_rooms(blueprint, wing)
    _inbox_rooms(blueprint, wing)
    _record_rooms(blueprint, wing)
    _fixed_rooms(blueprint, wing)
    discovery = Discovery(wing.reader, wing.policy)
    _kept_rooms(blueprint, wing, discovery)
    _query_rooms(blueprint, wing, discovery)
    _vocabulary_rooms(blueprint, wing)
    return blueprint


def _storage_rooms(blueprint: Blueprint, wing: Wing) -> None:
    async def get(rest: str = "") -> Response:  # noqa: ARG001  the raw path decides
        return await storage.show(wing, await wing.target())

    async def options(rest: str = "") -> Response:  # noqa: ARG001  likewise
        target = wing.seen(await wing.target())
        return options_of(kind_of(target), target)

    async def put(rest: str = "") -> Response:  # noqa: ARG001  likewise
        return await storage_write.put(wing, await wing.target())

    async def post(rest: str = "") -> Response:  # noqa: ARG001  likewise
        target = await wing.target()
        if target.path.endswith("/"):
            return await storage_write.post(wing, target)
        wing.require(target, Mode.APPEND)
        is_made = target.path == ROOT_ACL or (
            describes_container(target.path)
            and storage.is_container(wing, target.member, subject_of(target.path))
        )
        # Who may not read is not told whether something is there.
        may_know = Mode.READ in wing.policy.modes(target.agent, target.member, target.path)
        if not is_made and target.resource is None and may_know:
            raise NotFound
        return _not_allowed(kind_of(wing.seen(target)), target)

    async def patch(rest: str = "") -> Response:  # noqa: ARG001  likewise
        return await storage_write.patch(wing, await wing.target())

    async def delete(rest: str = "") -> Response:  # noqa: ARG001  likewise
        target = await wing.target()
        if target.path in (STORAGE, ROOT_ACL) or describes_container(target.path):
            wing.require(target, Mode.WRITE)
            return _not_allowed(kind_of(target), target)
        return await storage_write.delete(wing, target)

    for path in PATHS:
        for method, answer in (
            ("GET", get),
            ("OPTIONS", options),
            ("PUT", put),
            ("POST", post),
            ("PATCH", patch),
            ("DELETE", delete),
        ):
            name = f"{method.lower()}_{'root' if path == STORAGE else 'path'}"
            blueprint.add_url_rule(
                path, name, answer, methods=[method], provide_automatic_options=False
            )


def _inbox_rooms(blueprint: Blueprint, wing: Wing) -> None:
    rule = blueprint.route

    @rule("/inbox/", methods=["GET"], provide_automatic_options=False)
    @rule("/inbox/<name>", methods=["GET"], provide_automatic_options=False)
    async def show_inbox(name: str = "") -> Response:  # noqa: ARG001  the raw path decides
        return await inbox.show(wing, await wing.target())

    @rule("/inbox/", methods=["OPTIONS"], provide_automatic_options=False)
    @rule("/inbox/<name>", methods=["OPTIONS"], provide_automatic_options=False)
    async def inbox_options(name: str = "") -> Response:
        return options_of("letter" if name else "inbox", await wing.target())

    @rule("/inbox/<name>", methods=["DELETE"], provide_automatic_options=False)
    async def delete_notification(name: str) -> Response:  # noqa: ARG001  likewise
        return await inbox.delete(wing, await wing.target())


def _record_rooms(blueprint: Blueprint, wing: Wing) -> None:
    rule = blueprint.route

    @rule("/repo/<nsid>/<rkey>", methods=["PUT"], provide_automatic_options=False)
    @rule("/me", methods=["PUT"], provide_automatic_options=False)
    @rule(CARD, methods=["PUT"], provide_automatic_options=False)
    async def put_record(nsid: str = "", rkey: str = "") -> Response:  # noqa: ARG001  likewise
        return await record.put(wing, await wing.target())

    @rule("/repo/<nsid>/<rkey>", methods=["PATCH"], provide_automatic_options=False)
    @rule("/me", methods=["PATCH"], provide_automatic_options=False)
    @rule(CARD, methods=["PATCH"], provide_automatic_options=False)
    async def patch_record(nsid: str = "", rkey: str = "") -> Response:  # noqa: ARG001  likewise
        return await record.patch(wing, await wing.target())

    @rule(CARD, methods=["GET"], provide_automatic_options=False)
    async def card() -> Response:
        return await record.show_card(wing, await wing.target())

    @rule("/repo/<nsid>/<rkey>", methods=["DELETE"], provide_automatic_options=False)
    async def delete_record(nsid: str, rkey: str) -> Response:  # noqa: ARG001  likewise
        return await record.delete(wing, await wing.target())

    @rule("/repo/<nsid>/<rkey>", methods=["OPTIONS"], provide_automatic_options=False)
    @rule("/me", methods=["OPTIONS"], provide_automatic_options=False)
    @rule(CARD, methods=["OPTIONS"], provide_automatic_options=False)
    async def record_options(nsid: str = "", rkey: str = "") -> Response:  # noqa: ARG001  likewise
        return options_of("record", await wing.target())

    @rule("/repo/<nsid>/", methods=["POST"], provide_automatic_options=False)
    async def post_record(nsid: str) -> Response:  # noqa: ARG001  likewise
        return await record.post(wing, await wing.target())

    @rule("/repo/", methods=["GET"], provide_automatic_options=False)
    @rule("/repo/<nsid>/", methods=["GET"], provide_automatic_options=False)
    async def collection(nsid: str = "") -> Response:  # noqa: ARG001  likewise
        target = await wing.target()
        wing.require(target, Mode.READ)
        return await show_container(wing, target)

    @rule("/repo/", methods=["OPTIONS"], provide_automatic_options=False)
    @rule("/repo/<nsid>/", methods=["OPTIONS"], provide_automatic_options=False)
    async def collection_options(nsid: str = "") -> Response:  # noqa: ARG001  likewise
        return options_of("collection", await wing.target())


def _kept_rooms(blueprint: Blueprint, wing: Wing, discovery: Discovery) -> None:
    async def show() -> Response:
        return await kept.show(wing, discovery, await wing.target())

    async def put() -> Response:
        return await kept.put(wing, discovery, await wing.target())

    async def patch() -> Response:
        return await kept.patch(wing, discovery, await wing.target())

    async def options() -> Response:
        return options_of("lasting", await wing.target())

    @blueprint.route(SETTINGS, methods=["GET"], provide_automatic_options=False)
    async def folder() -> Response:
        return await kept.show_folder(wing, await wing.target())

    @blueprint.route(f"{SETTINGS}.acl", methods=["GET"], provide_automatic_options=False)
    async def folder_list() -> Response:
        target = await wing.target()
        wing.require(target, Mode.CONTROL)
        body = owner_acl(target.member.url(SETTINGS), target.member.webid)
        return await show_graph(wing, target, "fixed", body)

    @blueprint.route(f"{SETTINGS}.acl", methods=["OPTIONS"], provide_automatic_options=False)
    @blueprint.route(SETTINGS, methods=["OPTIONS"], provide_automatic_options=False)
    async def folder_options() -> Response:
        return options_of("fixed", await wing.target())

    for path in PAGES:
        for method, answer in (("GET", show), ("PUT", put), ("PATCH", patch), ("OPTIONS", options)):
            name = f"{method.lower()}_{path.rpartition('/')[2]}"
            blueprint.add_url_rule(
                path, name, answer, methods=[method], provide_automatic_options=False
            )


def _query_rooms(blueprint: Blueprint, wing: Wing, discovery: Discovery) -> None:
    datasets = Datasets(wing.reader, wing.policy, wing.records, discovery, wing.hidden)
    endpoint = Endpoint(wing, datasets)
    rule = partial(blueprint.add_url_rule, ENDPOINT, provide_automatic_options=False)
    rule("query", endpoint.show, methods=["GET"])
    rule("take_query", endpoint.take, methods=["POST"])
    rule("query_options", endpoint.options, methods=["OPTIONS"])


def _vocabulary_rooms(blueprint: Blueprint, wing: Wing) -> None:
    @blueprint.get(VOCABULARY)
    @blueprint.get(f"{VOCABULARY}<path:name>")
    async def lexicon(name: str = "") -> Response:
        return await vocabulary.show(wing, name)


def _fixed_rooms(blueprint: Blueprint, wing: Wing) -> None:
    async def fixed(body: bytes, target: Target) -> Response:
        return await show_graph(wing, target, "fixed", body)

    @blueprint.get("/.well-known/solid")
    async def description() -> Response:
        target = await wing.target()
        return await fixed(storage_description(target.member), target)

    @blueprint.get("/repo/.acl")
    async def repo_list() -> Response:
        target = await wing.target()
        wing.require(target, Mode.CONTROL)
        return await fixed(repo_acl(target.member), target)

    @blueprint.route("/repo/.acl", methods=[*WRITE, "POST"])
    async def narrow() -> Response:
        wing.require(await wing.target(), Mode.CONTROL)
        raise Conflict("What is in /repo/ is public; to keep something private, move it to /data/")


def _not_allowed(kind: Kind, target: Target) -> Response:
    return empty(405, headers_of(kind, target))
