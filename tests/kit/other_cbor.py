"""cbrrr, the second opinion on CBOR. Tests that ask for it are skipped where it was not built."""

from __future__ import annotations

import pytest

pytest.importorskip("cbrrr", reason="cbrrr is not here: installing it takes a C compiler")

from cbrrr import (
    CID,
    decode_dag_cbor,
    decode_multi_dag_cbor_in_violation_of_the_spec,
    encode_dag_cbor,
)

__all__ = [
    "CID",
    "decode_dag_cbor",
    "decode_multi_dag_cbor_in_violation_of_the_spec",
    "encode_dag_cbor",
]
