"""Everything that Quart serves: the blueprints of the wings on one application."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog
from quart import Blueprint, Quart, Response, request

from adapters.http import problem

log = structlog.get_logger()

BODY_LIMIT = 64 * 1024 * 1024
"""What Quart reads of a body at most; each route has its own, lower limit."""


def make_pages(rooms: Iterable[Blueprint], nonce: Callable[[], str]) -> Quart:
    """One application of all rooms. Paths have one spelling: nothing is merged or redirected.

    Whoever shows a token with a proof is told the ``nonce`` for the next one.
    """
    app = Quart("commonpod", static_folder=None)
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = True
    app.url_map.redirect_defaults = False
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    for blueprint in rooms:
        app.register_blueprint(blueprint)
    problem.install(app)

    async def tell_nonce(response: Response) -> Response:
        if request.headers.get("Authorization", "")[:5].lower() == "dpop ":
            response.headers["DPoP-Nonce"] = nonce()
        return response

    app.after_request(tell_nonce)

    async def on_fault(error: Exception) -> Response:
        log.error("request failed", exc_info=error)
        return Response("Internal Server Error\n", status=500, content_type="text/plain")

    app.register_error_handler(Exception, on_fault)
    return app
