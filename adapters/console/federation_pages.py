"""The administrator's rules for other servers, and reports: a page, and the same as JSON.

Spec: https://docs.joinmastodon.org/admin/moderation/, RFC 7617
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import orjson
from quart import Blueprint, Response, request

from adapters.console.admin_pages import AdminPages
from adapters.console.ports import Federation
from adapters.http.hosts import Hosts
from adapters.http.incoming import small_form
from adapters.http.negotiate import choose
from pod.errors import Forbidden, Invalid, PodError
from pod.model.moderation import Severity

_PATH: Final = "/admin/federation"
_MAX_FORM: Final = 4 * 1024 * 1024
_JSON: Final = "application/json"


class FederationPages:
    """``/admin/federation``, for whoever knows the administrator's password."""

    def __init__(self, hosts: Hosts, admin: AdminPages, federation: Federation) -> None:
        self._hosts = hosts
        self._admin = admin
        self._federation = federation

    def rooms(self) -> Blueprint:
        """The routes."""
        blueprint = Blueprint("federation", __name__)

        @blueprint.get(_PATH)
        async def look() -> Response:
            return self._admin.refusal() or self._answer(200)

        @blueprint.post(_PATH)
        async def act() -> Response:
            refused = self._admin.refusal()
            if refused is not None:
                return refused
            self._check_sender()
            try:
                told = await self._do(await small_form(_MAX_FORM))
            except PodError as err:
                if _wants_json():
                    raise
                return self._answer(400, error=err.safe_text)
            return self._answer(200, told=told)

        @blueprint.get(f"{_PATH}/<name>.csv")
        async def export(name: str) -> Response:
            refused = self._admin.refusal()
            if refused is not None:
                return refused
            text = self._federation.export_rules(allowed=name == "domain_allows")
            headers = {"Content-Disposition": "attachment", "Cache-Control": "no-store"}
            return Response(text, 200, headers, content_type="text/csv; charset=utf-8")

        return blueprint

    def _check_sender(self) -> None:
        """Browsers send the password with other sites' forms, too: those are refused."""
        site, origin = (request.headers.get(name) for name in ("Sec-Fetch-Site", "Origin"))
        if site not in (None, "same-origin") or origin not in (None, self._hosts.server):
            raise Forbidden("This form was sent from another site.")

    async def _do(self, form: Mapping[str, str]) -> str:
        match form.get("do"):
            case "set":
                return await self._set(form)
            case "drop":
                await self._federation.drop_rule(form.get("domain", ""))
                return f"There is no rule for {form['domain']} any more."
            case "resolve":
                await self._federation.resolve(form.get("report", ""))
                return "The report is closed."
            case "rotate":
                await self._federation.rotate_keys(form.get("handle", ""))
                return f"{form.get('handle') or 'The server'} has new keys."
            case "import":
                allowed = form.get("list") == "allows"
                count = await self._federation.import_rules(form.get("csv", ""), allowed=allowed)
                return f"{count} rules were taken in."
            case _:
                raise Invalid("There is no such act.")

    async def _set(self, form: Mapping[str, str]) -> str:
        word = form.get("severity", "")
        try:
            severity = Severity(word)
        except ValueError as err:
            raise Invalid(f"{word[:40]} is no severity.") from err
        severed = await self._federation.set_rule(
            form.get("domain", ""),
            severity,
            reject_media=form.get("reject_media") == "yes",
            reject_reports=form.get("reject_reports") == "yes",
            obfuscate=form.get("obfuscate") == "yes",
            public_comment=form.get("public_comment", ""),
            private_comment=form.get("private_comment", ""),
        )
        told = f"The rule for {form['domain']} holds."
        if severed.members:
            told += (
                f" {severed.members} members lost {severed.followers} followers and "
                f"{severed.followed} whom they followed; they were told."
            )
        return told

    def _answer(self, status: int, *, told: str = "", error: str = "") -> Response:
        only_open = request.args.get("reports") != "all"
        rules = self._federation.rules()
        reports = self._federation.reports(only_open=only_open)
        if _wants_json():
            facts: dict[str, Any] = {
                "told": told,
                "rules": [asdict(rule) for rule in rules],
                "reports": [asdict(report) for report in reports],
            }
            return Response(orjson.dumps(facts), status, content_type=_JSON)
        return self._admin.shown(
            "federation.html",
            status,
            title="Federation",
            rules=rules,
            reports=reports,
            only_open=only_open,
            told=told,
            error=error,
        )


def _wants_json() -> bool:
    return choose(request.headers.get("Accept"), ("text/html", _JSON)) == _JSON
