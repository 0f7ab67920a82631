"""Typed identifiers of the three protocols and their full syntax checks.

Spec: https://atproto.com/specs/{did,handle,nsid,tid,record-key,at-uri-scheme,lexicon}
"""

from __future__ import annotations

from typing import NewType

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
