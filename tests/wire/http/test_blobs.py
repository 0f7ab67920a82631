"""Public media: whole, in ranges, cached, harmless, and only where a public record shows it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.ranges import Span, Unsatisfiable, span_of
from pod.model.blob import BlobRef
from pod.model.resource import ResourcePath
from pod.records.cid import cid_text
from pod.write import PutBinary
from tests.kit.hall import Author, author, blob_data, hall_of
from tests.kit.house import Pod, owner

HOST = "alice.localhost:2583"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(92))

Ask = Callable[..., Awaitable[Any]]


def play(scene: Callable[[Author, Ask], Awaitable[None]]) -> None:
    async def run() -> None:
        pod = Pod()
        client = hall_of(pod).test_client()

        async def ask(blob: BlobRef | str, method: str = "GET", **headers: str) -> Any:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            cid = blob if isinstance(blob, str) else cid_text(blob.cid)
            return await client.open(
                f"/blobs/{cid}", method=method, headers={"Host": HOST, **named}
            )

        await scene(await author(pod), ask)

    asyncio.run(run())


async def shown(alice: Author, body: bytes = PNG, media_type: str = "image/png") -> BlobRef:
    """A blob that a public record refers to."""
    blob = await alice.blob(body, media_type)
    await alice.write("com.example.picture", {"picture": blob_data(blob)})
    return blob


def test_a_blob_is_served_whole_with_its_type_and_for_ever() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        blob = await shown(alice)
        response = await ask(blob)
        assert (response.status_code, await response.get_data()) == (200, PNG)
        assert response.headers["Content-Type"] == "image/png"
        assert response.headers["Content-Length"] == str(len(PNG))
        assert "immutable" in response.headers["Cache-Control"]
        tag = response.headers["ETag"]
        assert (await ask(blob, If_None_Match=tag)).status_code == 304

    play(scene)


def test_a_blob_can_do_no_harm_on_the_members_origin() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        for media_type in ("text/html", "image/svg+xml", "application/xhtml+xml"):
            blob = await shown(
                alice, b"<script>alert(1)</script>" + media_type.encode(), media_type
            )
            headers = (await ask(blob)).headers
            assert "sandbox" in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Content-Disposition"] == "attachment"
        assert (await ask(await shown(alice))).headers["Content-Disposition"] == "inline"

    play(scene)


@pytest.mark.parametrize(
    "media_type", ["application/activity+json", "Application/LD+JSON", "application/ld+json; a=b"]
)
def test_an_upload_is_no_activity_of_the_member(media_type: str) -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        blob = await shown(alice, b'{"id":"http://alice.localhost:2583/me"}', media_type)
        assert (await ask(blob)).headers["Content-Type"] == "application/octet-stream"

    play(scene)


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [("bytes=0-9", 0, 10), ("bytes=90-", 90, 100), ("bytes=-5", 95, 100)],
)
def test_a_range_is_served_as_asked(header: str, start: int, end: int) -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        response = await ask(await shown(alice), Range=header)
        assert (response.status_code, await response.get_data()) == (206, PNG[start:end])
        assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/100"

    play(scene)


def test_a_range_beyond_the_end_is_416_and_of_other_bytes_is_the_whole() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        blob = await shown(alice)
        beyond = await ask(blob, Range="bytes=100-")
        assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, "bytes */100")
        other = await ask(blob, Range="bytes=0-9", If_Range='"other"')
        assert (other.status_code, await other.get_data()) == (200, PNG)

    play(scene)


def test_head_sends_no_bytes() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        response = await ask(await shown(alice), "HEAD")
        assert response.headers["Content-Type"] == "image/png"
        assert await response.get_data() == b""

    play(scene)


def test_bytes_that_no_public_record_shows_are_not_found() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        loose = await alice.blob(PNG, "image/png")
        private = await alice.blob(PNG + b"private", "image/png")
        put = PutBinary(ResourcePath("/data/secret.png"), private.cid, "image/png")
        await alice.pod.write.apply(owner(alice.member), alice.member.id, [put])
        answers = [await ask(name) for name in (loose, private, "bafkreiaaaa", "x")]
        assert {answer.status_code for answer in answers} == {404}
        assert len({await answer.get_data() for answer in answers}) == 1

    play(scene)


def test_a_blob_goes_with_the_last_record_that_shows_it() -> None:
    async def scene(alice: Author, ask: Ask) -> None:
        blob = await alice.blob(PNG, "image/png")
        path = await alice.write("com.example.picture", {"picture": blob_data(blob)})
        assert (await ask(blob)).status_code == 200
        await alice.delete(path)
        assert (await ask(blob)).status_code == 404

    play(scene)


@given(st.integers(0, 50), st.integers(0, 60), st.integers(1, 50))
def test_a_range_never_leaves_the_bytes(start: int, length: int, size: int) -> None:
    try:
        span = span_of(f"bytes={start}-{start + length}", size)
    except Unsatisfiable:
        assert start >= size
        return
    assert span is not None
    assert 0 <= span.start < span.end <= size
    assert span.start == start


@pytest.mark.parametrize(
    "header", [None, "", "bytes=-", "bytes=5-2", "bytes=0-1,3-4", "items=0-1", "bytes=a-b"]
)
def test_what_is_no_single_range_is_the_whole(header: str | None) -> None:
    assert span_of(header, 100) is None


def test_a_suffix_longer_than_the_bytes_is_all_of_them() -> None:
    assert span_of("bytes=-500", 100) == Span(0, 100)
    with pytest.raises(Unsatisfiable):
        span_of("bytes=-0", 100)
