"""The two views of a record that are its own forms: JSON, and the native block.

Spec: https://atproto.com/specs/data-model, https://ipld.io/specs/codecs/dag-cbor/spec/
"""

from __future__ import annotations

from typing import Final

from adapters.http.views import Ask, Rendered, View
from pod.model.resource import RECORD_TYPE
from pod.records.cbor import decode_trusted
from pod.records.data import data_to_json_text


async def _json(ask: Ask) -> Rendered | None:
    if ask.resource is None or not ask.resource.is_record:
        return None
    return Rendered(data_to_json_text(decode_trusted(ask.resource.body)), "application/json")


async def _block(ask: Ask) -> Rendered | None:
    """The bytes that hash to the record's CID."""
    if ask.resource is None or not ask.resource.is_record:
        return None
    return Rendered(ask.resource.body, RECORD_TYPE)


RECORD_VIEWS: Final = (
    View("json", ("application/json",), _json),
    View("block", (RECORD_TYPE,), _block),
)
