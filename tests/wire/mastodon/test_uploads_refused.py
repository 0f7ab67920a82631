"""Files that would take a server's memory are refused."""

from __future__ import annotations

import io

from PIL import Image

from tests.kit.phone import Phone
from tests.kit.whole import Town


def test_a_picture_of_too_many_points_is_refused(pod: Town, ann: Phone) -> None:
    out = io.BytesIO()
    Image.new("1", (15_000, 14_000)).save(out, "PNG")
    head = b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
    body = head + b"Content-Type: image/png\r\n\r\n" + out.getvalue() + b"\r\n--B--\r\n"
    kind = "multipart/form-data; boundary=B"
    reply = pod.run(ann.ask("POST", "/api/v2/media", body, content_type=kind))
    assert reply.status == 422
