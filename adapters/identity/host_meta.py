"""Host metadata: where WebFinger is, for peers that ask here first.

Spec: RFC 6415 (https://www.rfc-editor.org/rfc/rfc6415)
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import quoteattr

from pod.model.ids import Origin


def _template(origin: Origin) -> str:
    return f"{origin}/.well-known/webfinger?resource={{uri}}"


def xrd(origin: Origin) -> str:
    """The host-meta document in XML."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">\n'
        '  <Link rel="lrdd" type="application/jrd+json"'
        f" template={quoteattr(_template(origin))}/>\n"
        "</XRD>\n"
    )


def jrd(origin: Origin) -> dict[str, Any]:
    """The host-meta document in JSON."""
    link = {"rel": "lrdd", "type": "application/jrd+json", "template": _template(origin)}
    return {"links": [link]}
