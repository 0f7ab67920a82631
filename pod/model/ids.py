"""Typed identifiers of the three protocols and their full syntax checks.

Each ``parse_*`` takes text from outside, returns it as its own type and raises Invalid on any
departure from the syntax. They say nothing about whether the thing named exists.

Spec: https://atproto.com/specs/{did,handle,nsid,tid,record-key,at-uri-scheme,lexicon}
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple, NewType

from pod.errors import Invalid

MemberId = NewType("MemberId", int)
Did = NewType("Did", str)
Handle = NewType("Handle", str)
Nsid = NewType("Nsid", str)
Rkey = NewType("Rkey", str)
Tid = NewType("Tid", str)
AtUri = NewType("AtUri", str)
Iri = NewType("Iri", str)
Origin = NewType("Origin", str)
Cid = NewType("Cid", bytes)

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DID = re.compile(r"did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]")
_HANDLE = re.compile(rf"(?:{_LABEL}\.)+[a-zA-Z](?:[a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])?")
_NSID = re.compile(
    rf"[a-zA-Z](?:[a-zA-Z0-9-]{{0,61}}[a-zA-Z0-9])?(?:\.{_LABEL})+\.[a-zA-Z][a-zA-Z0-9]{{0,62}}"
)
_RKEY = re.compile(r"(?!\.\.?\Z)[a-zA-Z0-9._:~-]{1,512}")
_TID = re.compile(r"[2-7a-j][2-7a-z]{12}")
_CID_TEXT = re.compile(r"(?!Qm[a-zA-Z0-9]{44}\Z)[a-zA-Z0-9+=]{8,256}")
_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,80}:[^\s\x00-\x1f\x7f]+")
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,20})?"
    r"(?:Z|(?!-00:00)[+-][0-9]{2}:[0-5][0-9])"
)
_LANGUAGE = re.compile(r"(?:[a-z]{2,3}|i|[xX](?=-))(?:-[a-zA-Z0-9]{1,8})*")
_VARIANT = re.compile(r"[a-z0-9]{5,8}|[0-9][a-z0-9]{3}")

_MAX_DID = 2048
_MAX_HANDLE = 253
_MAX_NSID = 317
_MAX_URI = 8192
_MAX_DATETIME = 64
_FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
_LAST_INSTANT = datetime.max.replace(tzinfo=UTC)


class AtUriParts(NamedTuple):
    """What an at-uri names: a repo, a collection in it, or a record in that."""

    authority: Did | Handle
    collection: Nsid | None
    rkey: Rkey | None


def parse_did(text: str) -> Did:
    """A DID of any method, at most 2048 characters."""
    if len(text) > _MAX_DID or not _DID.fullmatch(text):
        raise Invalid("not a valid DID")
    return Did(text)


def parse_handle(text: str) -> Handle:
    """A handle in lower case, its normal form; at most 253 characters."""
    if len(text) > _MAX_HANDLE or not _HANDLE.fullmatch(text):
        raise Invalid("not a valid handle")
    return Handle(text.lower())


def parse_at_identifier(text: str) -> Did | Handle:
    """A DID or a handle, whichever the text is."""
    return parse_did(text) if text.startswith("did:") else parse_handle(text)


def parse_nsid(text: str) -> Nsid:
    """A namespaced identifier such as ``app.bsky.feed.post``, at most 317 characters."""
    if len(text) > _MAX_NSID or not _NSID.fullmatch(text):
        raise Invalid("not a valid NSID")
    return Nsid(text)


def parse_rkey(text: str) -> Rkey:
    """A record key of 1 to 512 characters, never ``.`` or ``..``."""
    if not _RKEY.fullmatch(text):
        raise Invalid("not a valid record key")
    return Rkey(text)


def parse_tid(text: str) -> Tid:
    """A timestamp identifier of 13 characters whose top bit is zero."""
    if not _TID.fullmatch(text):
        raise Invalid("not a valid TID")
    return Tid(text)


def at_uri_parts(text: str) -> AtUriParts:
    """Authority, collection and record key of an at-uri without fragment; the last two may lack."""
    scheme, _, path = text.partition("://")
    if scheme != "at" or len(text) > _MAX_URI:
        raise Invalid("not a valid at-uri")
    authority, *rest = path.split("/")
    if len(rest) > 2:
        raise Invalid("not a valid at-uri")
    return AtUriParts(
        parse_at_identifier(authority),
        parse_nsid(rest[0]) if rest else None,
        parse_rkey(rest[1]) if len(rest) == 2 else None,
    )


def parse_at_uri(text: str) -> AtUri:
    """An at-uri of a repo, a collection or a record, unchanged; at most 8192 characters."""
    at_uri_parts(text)
    return AtUri(text)


def at_uri(authority: Did | Handle, collection: Nsid, rkey: Rkey) -> AtUri:
    """The at-uri of a record."""
    return AtUri(f"at://{authority}/{collection}/{rkey}")


def parse_cid_text(text: str) -> str:
    """A CID by its outer form only, in any base but never version 0; `cid_from_text` reads one."""
    if not _CID_TEXT.fullmatch(text):
        raise Invalid("not a valid CID")
    return text


def parse_uri(text: str) -> Iri:
    """A URI of any scheme by its outer form, at most 8192 UTF-8 bytes."""
    if len(text) > _MAX_URI or len(text.encode(errors="replace")) > _MAX_URI:
        raise Invalid("the URI is too long")
    if not _URI.fullmatch(text):
        raise Invalid("not a valid URI")
    return Iri(text)


def parse_datetime(text: str) -> datetime:
    """An instant in UTC, to the microsecond.

    The syntax allows years and offsets that reach past what `datetime` holds at either end; such
    an instant becomes the nearest that it can hold.
    """
    if len(text) > _MAX_DATETIME or not _DATETIME.fullmatch(text):
        raise Invalid("not a valid datetime")
    is_year_zero = text.startswith("0000")
    # 2000 is a leap year like the proleptic year 0, so the rest of the date is checked as it is.
    try:
        moment = datetime.fromisoformat("2000" + text[4:] if is_year_zero else text)
    except ValueError as err:
        raise Invalid("not a valid datetime") from err
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        return _end_of_time(text)
    if not is_year_zero:
        return moment
    if moment.year < 2000:
        raise Invalid("the datetime is before the year zero")
    return _FIRST_INSTANT


def _end_of_time(text: str) -> datetime:
    return _FIRST_INSTANT if text.startswith("0001") else _LAST_INSTANT


def parse_language(text: str) -> str:
    """A BCP 47 language tag whose variants and extensions do not repeat."""
    if not _LANGUAGE.fullmatch(text):
        raise Invalid("not a valid language tag")
    seen: set[str] = set()
    in_extension = False
    for subtag in text.lower().split("-")[1 if text[0] not in "xX" else 0 :]:
        if subtag == "x":
            break
        in_extension = in_extension or len(subtag) == 1
        if len(subtag) == 1 or (not in_extension and _VARIANT.fullmatch(subtag)):
            if subtag in seen:
                raise Invalid("the language tag repeats a subtag")
            seen.add(subtag)
    return text
