"""Drafts: what a write op asks for, checked and encoded before the transaction begins.

Spec: https://atproto.com/guides/data-validation, https://atproto.com/specs/record-key
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pod.errors import Invalid, TooLarge
from pod.model.blob import BlobRef
from pod.model.ids import Cid, Nsid, Rkey, parse_nsid, parse_rkey, parse_tid
from pod.model.resource import RECORD_TYPE, Complement, Expect, ResourcePath, record_key
from pod.records.cbor import encode
from pod.records.cid import cid_text, raw_cid, record_cid
from pod.records.data import LEGACY_SIZE, Data, blobs_in
from pod.records.lens import index, relation
from pod.records.lexicon.registry import Registry
from pod.records.tid import TidClock
from pod.settings import Limits

DraftAction = Literal["create", "update", "put", "annotate", "delete", "discard"]


@dataclass(frozen=True, slots=True)
class Draft:
    """One op, ready for the transaction.

    ``cid`` None means that the path will hold nothing (or, for "annotate", keeps what it holds).
    ``supersedes``: a new relation takes the place of earlier ones to the same subject.
    """

    path: ResourcePath
    action: DraftAction
    expect: Expect
    cid: Cid | None = None
    media_type: str = RECORD_TYPE
    body: bytes = b""
    blobs: tuple[Cid, ...] = ()
    refs: tuple[BlobRef, ...] = ()
    subject: str | None = None
    complement: Complement | None = None
    validation: Literal["valid", "unknown"] | None = None
    is_binary: bool = False
    supersedes: bool = False

    @property
    def size(self) -> int:
        """Bytes that the draft would add."""
        return len(self.body)

    def blob_text(self, cid: Cid) -> str:
        """A blob's CID as the error message shows it."""
        return cid_text(cid)

    def check_blob(self, cid: Cid, media_type: str, size: int) -> None:
        """Refuse a reference that claims another type or size than the blob has."""
        for ref in self.refs:
            if ref.cid != cid:
                continue
            if ref.media_type != media_type:
                raise Invalid(
                    f"Referenced MimeType does not match stored blob. Expected: {media_type}, "
                    f"Got: {ref.media_type}",
                    name="InvalidMimeType",
                )
            if ref.size != size:
                raise Invalid(
                    f"Referenced size does not match stored blob. Expected: {size}, "
                    f"Got: {ref.size}",
                    name="InvalidSize",
                )


class Drafts:
    """Makes drafts: lexicon check, record key check, encoding, limits."""

    def __init__(self, lexicons: Registry, tids: TidClock, limits: Limits) -> None:
        self._lexicons = lexicons
        self._tids = tids
        self._limits = limits

    def mint_rkey(self, collection: Nsid) -> Rkey:
        """The key of a new record that was given none: ``self`` where the lexicon says so."""
        kind = self._lexicons.rkey_kind(collection)
        if kind is not None and kind.startswith("literal:"):
            return Rkey(kind.removeprefix("literal:"))
        return Rkey(self._tids.next())

    def record(
        self,
        path: ResourcePath,
        record: dict[str, Data],
        *,
        action: Literal["create", "update", "put"],
        expect: Expect,
        validate: bool | None,
        complement: Complement | None,
    ) -> Draft:
        """A record, its ``$type`` filled in where it was missing.

        Raises Invalid (data model, lexicon, record key, legacy blob) and TooLarge.
        """
        collection, rkey = record_key(path)
        parse_rkey(rkey)
        claimed = record.get("$type", collection)
        if claimed != collection:
            raise Invalid(
                f"Invalid $type: expected {collection}, got {claimed!r}", name="InvalidRequest"
            )
        whole = record if "$type" in record else {"$type": collection, **record}
        validation = None if validate is False else self._validate(collection, rkey, whole)
        if validate is True and validation != "valid":
            raise Invalid(f"Lexicon not found: lex:{collection}", name="InvalidRequest")
        refs = tuple(blobs_in(whole))
        if any(ref.size == LEGACY_SIZE for ref in refs):
            raise Invalid("Legacy blob references cannot be written any more.")
        body = encode(whole)
        if len(body) > self._limits.record_bytes:
            raise TooLarge(f"A record may take at most {self._limits.record_bytes} bytes.")
        return Draft(
            path,
            action,
            expect,
            cid=record_cid(body),
            body=body,
            blobs=tuple(dict.fromkeys(ref.cid for ref in refs)),
            refs=refs,
            subject=index.subject_of(collection, whole),
            supersedes=validate is not False and collection in relation.KINDS,
            complement=complement,
            validation=validation,
        )

    def document(
        self,
        path: ResourcePath,
        media_type: str,
        body: bytes,
        expect: Expect,
        subject: str | None,
    ) -> Draft:
        """A document; its bytes are kept as they came. Raises TooLarge."""
        if len(body) > self._limits.document_bytes:
            raise TooLarge(f"A document may take at most {self._limits.document_bytes} bytes.")
        return Draft(
            path,
            "put",
            expect,
            cid=raw_cid(body),
            media_type=media_type,
            body=body,
            subject=subject,
        )

    def _validate(
        self, collection: Nsid, rkey: Rkey, record: dict[str, Data]
    ) -> Literal["valid", "unknown"]:
        if not self._lexicons.validate_record(collection, record):
            return "unknown"
        kind = self._lexicons.rkey_kind(collection)
        if kind == "tid":
            parse_tid(rkey)
        elif kind == "nsid":
            parse_nsid(rkey)
        elif kind is not None and kind.startswith("literal:") and rkey != kind[8:]:
            raise Invalid(f"The key of a {collection} record is {kind[8:]}.")
        return "valid"
