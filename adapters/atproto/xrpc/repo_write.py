"""com.atproto.repo: createRecord, putRecord, deleteRecord, applyWrites.

Spec: https://atproto.com/specs/xrpc, lexicons com.atproto.repo.*
"""

from __future__ import annotations

from typing import Any, Final

from adapters.atproto.xrpc.call import Call, procedure
from adapters.atproto.xrpc.repos import own_repo
from adapters.atproto.xrpc.services import Services
from pod.errors import Invalid
from pod.model.change import RepoHead
from pod.model.ids import Cid, Nsid, Rkey
from pod.model.member import Member
from pod.model.resource import ABSENT, Expect, Version, record_path
from pod.oauth.scope import Repo
from pod.records.cid import cid_from_text, cid_text
from pod.write import Delete, Op, PutRecord, Receipt, Result

WRITE_LIMIT: Final = 1_000_000
MAX_WRITES: Final = 200
_APPLY: Final = "com.atproto.repo.applyWrites"


@procedure("com.atproto.repo.createRecord", limit=WRITE_LIMIT)
async def create_record(call: Call, services: Services) -> dict[str, Any]:
    """Put a new record into the caller's own repo."""
    body, member = call.body, own_repo(call, services.store)
    put = PutRecord(
        Nsid(body["collection"]),
        body.get("rkey"),
        body["record"],
        action="create",
        validate=body.get("validate"),
    )
    return _answer(member, await _apply(call, services, member, [put]))


@procedure("com.atproto.repo.putRecord", limit=WRITE_LIMIT)
async def put_record(call: Call, services: Services) -> dict[str, Any]:
    """Write a record, whether or not one is there; the same bytes again change nothing."""
    body, member = call.body, own_repo(call, services.store)
    put = PutRecord(
        Nsid(body["collection"]),
        Rkey(body["rkey"]),
        body["record"],
        action="put",
        expect=_swap_record(body, null_is_absent=True),
        validate=body.get("validate"),
    )
    return _answer(member, await _apply(call, services, member, [put]))


@procedure("com.atproto.repo.deleteRecord", limit=WRITE_LIMIT)
async def delete_record(call: Call, services: Services) -> dict[str, Any]:
    """Delete a record; one that is not there is no error."""
    body, member = call.body, own_repo(call, services.store)
    path = record_path(Nsid(body["collection"]), Rkey(body["rkey"]))
    call.agent.needs(Repo(frozenset({body["collection"]}), frozenset({"delete"})))
    if services.store.resource(member.id, path) is None:
        return {}
    expect = _swap_record(body, null_is_absent=False)
    receipt = await _apply(call, services, member, [Delete(path, expect, missing_ok=True)])
    return {"commit": _commit(receipt.head)} if receipt.head else {}


@procedure("com.atproto.repo.applyWrites", limit=WRITE_LIMIT)
async def apply_writes(call: Call, services: Services) -> dict[str, Any]:
    """Create, update and delete records in one commit."""
    body, member = call.body, own_repo(call, services.store)
    writes: list[dict[str, Any]] = body["writes"]
    if len(writes) > MAX_WRITES:
        raise Invalid(f"Too many writes. Max: {MAX_WRITES}")
    ops = [_op(write, body.get("validate")) for write in writes]
    receipt = await _apply(call, services, member, ops)
    results = [_result(member, result) for result in receipt.results]
    return {"results": results} | ({"commit": _commit(receipt.head)} if receipt.head else {})


def _op(write: dict[str, Any], validate: bool | None) -> Op:
    collection = Nsid(write["collection"])
    rkey: Rkey | None = write.get("rkey")
    match write["$type"].removeprefix(_APPLY):
        case "#create":
            return PutRecord(collection, rkey, write["value"], "create", validate=validate)
        case "#update":
            return PutRecord(collection, rkey, write["value"], "update", validate=validate)
        case "#delete":
            return Delete(record_path(collection, Rkey(write["rkey"])))
        case _:
            raise Invalid(f"Action not supported: {write['$type']}")


async def _apply(call: Call, services: Services, member: Member, ops: list[Op]) -> Receipt:
    swap = call.body.get("swapCommit")
    expect: Cid | None = cid_from_text(swap) if swap else None
    return await services.write.apply(call.agent, member.id, ops, expect_commit=expect)


def _swap_record(body: dict[str, Any], *, null_is_absent: bool) -> Expect:
    swap = body.get("swapRecord")
    if swap:
        return Version(cid_from_text(swap))
    return ABSENT if null_is_absent and "swapRecord" in body else None


def _answer(member: Member, receipt: Receipt) -> dict[str, Any]:
    result = receipt.results[0]
    assert result.cid is not None  # a put leaves a record
    answer: dict[str, Any] = {"uri": member.at_uri(result.path), "cid": cid_text(result.cid)}
    if receipt.head is not None:
        answer["commit"] = _commit(receipt.head)
    return answer | _validation(result)


def _result(member: Member, result: Result) -> dict[str, Any]:
    if result.cid is None:
        return {"$type": f"{_APPLY}#deleteResult"}
    kind = "createResult" if result.action == "create" else "updateResult"
    answer = {"uri": member.at_uri(result.path), "cid": cid_text(result.cid)}
    return {"$type": f"{_APPLY}#{kind}"} | answer | _validation(result)


def _validation(result: Result) -> dict[str, str]:
    return {} if result.validation is None else {"validationStatus": result.validation}


def _commit(head: RepoHead) -> dict[str, str]:
    return {"cid": cid_text(head.commit), "rev": head.rev}
