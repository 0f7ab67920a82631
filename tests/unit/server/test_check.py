"""The check of a data folder: quiet on every sound one, and it sees each kind of damage."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from pod.errors import Invalid
from pod.media import Media
from pod.model.ids import Nsid, Rkey
from pod.model.member import Member
from pod.model.resource import Annotation, Complement, ResourcePath, record_path
from pod.records.data import Link
from pod.write import Annotate, Delete, PutBinary, PutDocument, PutRecord
from server.check import check
from server.cli import app
from storage.blobs import FolderBlobs
from tests.kit.house import Pod, owner
from tests.kit.repo import arrival
from tests.kit.stored import sql_store

POST = Nsid("app.bsky.feed.post")


def post(text: str, **more: object) -> dict[str, object]:
    return {"text": text, "createdAt": "2026-11-24T12:00:00.000Z", **more}


async def _fill(folder: Path) -> None:
    """A pod in which everything happened once that can happen to data."""
    async with sql_store(folder / "pod.sqlite") as store:
        pod = Pod(store=store)
        await pod.keyring.open()
        blobs = FolderBlobs(folder / "blobs")
        media = Media(store, blobs, pod.clock, pod.settings.limits)
        alice, bob = await pod.member("alice"), await pod.member("bob")
        picture = await media.keep(alice.id, b"\x89PNG\r\n\x1a\n pixels", "image/png")
        image = {
            "$type": "blob",
            "ref": Link(picture.cid),
            "mimeType": picture.media_type,
            "size": picture.size,
        }
        embed = {"$type": "app.bsky.embed.images", "images": [{"alt": "", "image": image}]}

        async def write(member: Member, *ops: object) -> None:
            await pod.write.apply(owner(member), member.id, ops)

        await write(alice, PutRecord(POST, Rkey("3kaaaaaaaaa2a"), post("one", embed=embed)))
        for number in range(12):
            await write(alice, PutRecord(POST, None, post(f"number {number}")))
            await write(bob, PutRecord(POST, None, post(f"number {number}")))
        path = record_path(POST, Rkey("3kaaaaaaaaa2b"))
        await write(alice, PutRecord(POST, Rkey("3kaaaaaaaaa2b"), post("two")))
        await write(alice, PutRecord(POST, Rkey("3kaaaaaaaaa2b"), post("two!")))
        await write(alice, Annotate(path, Complement((Annotation("rdf", b"x"),))))
        await write(alice, Delete(path))
        await write(alice, PutRecord(POST, Rkey("3kaaaaaaaaa2b"), post("two again")))
        await write(alice, PutRecord(POST, Rkey("3kaaaaaaaaa2c"), post("gone")))
        await write(
            alice,
            Delete(record_path(POST, Rkey("3kaaaaaaaaa2c"))),
            PutRecord(POST, Rkey("3kaaaaaaaaa2d"), post("mixed")),
            PutDocument(ResourcePath("/data/note.ttl"), "text/turtle", b"<a> <b> <c>."),
        )
        follow = {"subject": bob.did, "createdAt": "2026-11-24T12:00:00.000Z"}
        await write(alice, PutRecord(Nsid("app.bsky.graph.follow"), None, follow))
        await write(alice, PutDocument(ResourcePath("/data/empty"), "text/plain", b""))
        await write(alice, PutBinary(ResourcePath("/data/p.png"), picture.cid, "image/png"))
        carol = await pod.member("carol")
        block = store.record_blocks(bob.id, [c for _, c in store.record_index(bob.id)])
        records = dict(zip((f"{POST}/{n}" for n in range(5)), block.values(), strict=False))
        await pod.transfer.import_repo(owner(carol), carol.id, arrival(records))
        await write(carol, PutRecord(POST, None, post("after the import")))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    asyncio.run(_fill(folder))
    return folder


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy to do damage to."""
    return shutil.copytree(filled, tmp_path / "copy")


def test_a_sound_folder_has_nothing_to_find_and_is_left_as_it_was(folder: Path) -> None:
    before = (folder / "pod.sqlite").read_bytes()
    assert list(check(folder)) == []
    assert (folder / "pod.sqlite").read_bytes() == before
    found = CliRunner().invoke(app, ["check", "--data-dir", str(folder)])
    assert (found.exit_code, found.output) == (0, "All is well.\n")


def test_old_events_may_be_gone_but_none_in_between(folder: Path) -> None:
    damage(folder, "DELETE FROM frame WHERE seq <= 20")
    assert list(check(folder)) == []
    damage(folder, "DELETE FROM frame WHERE seq = 25")
    assert [text.partition(": ")[2] for text in check(folder)] == ["seq 25: its event is missing"]


def test_a_folder_without_a_pod_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        list(check(tmp_path))
    assert not list(tmp_path.iterdir())


def damage(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "pod.sqlite")) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount
        connection.commit()


LAST = f"path = '/repo/{POST}/3kaaaaaaaaa2d'"
NOTE = "path = '/data/note.ttl'"
REBORN = f"path = '/repo/{POST}/3kaaaaaaaaa2b'"
A_COMMIT = "(SELECT max(seq) FROM change_log WHERE kind = 'commit' AND member_id = 1)"

DAMAGES = {
    "a record lost": (f"DELETE FROM resource WHERE {LAST}", "is not stored"),
    "a record of nobody's": (
        (
            "INSERT INTO resource SELECT member_id, path || 'z', media_type, cid, size, rev,"
            " created_at, updated_at, generation, subject, complement, body FROM resource"
            f" WHERE {LAST}"
        ),
        "is not what the log tells",
    ),
    "other bytes": (
        f"UPDATE resource SET body = x'a0', size = 1 WHERE {LAST}",
        "do not hash to the CID",
    ),
    "bytes that are no record": (
        f"UPDATE resource SET body = x'ff', size = 1 WHERE {LAST}",
        "not a record",
    ),
    "a document changed": (f"UPDATE resource SET body = x'78', size = 1 WHERE {NOTE}", "hash"),
    "a wrong size": (f"UPDATE resource SET size = size + 1 WHERE {NOTE}", "the size is wrong"),
    "usage off": ("UPDATE usage SET bytes = bytes + 1 WHERE member_id = 1", "usage"),
    "a generation off": (f"UPDATE resource SET generation = 7 WHERE {REBORN}", "generation 7"),
    "no tombstone": (f"DELETE FROM tombstone WHERE {REBORN}", "has no tombstone"),
    "a tombstone off": (f"UPDATE tombstone SET generation = 9 WHERE {REBORN}", "the tombstone"),
    "a tombstone of a living path": (
        (
            "INSERT INTO tombstone SELECT member_id, path, media_type, cid, generation, updated_at,"
            f" body FROM resource WHERE {LAST}"
        ),
        "the tombstone",
    ),
    "a missing event": (f"DELETE FROM frame WHERE seq = {A_COMMIT}", "its event is missing"),
    "a phantom event": (
        "INSERT INTO frame SELECT seq + 100, bytes FROM frame WHERE seq = 9",
        "an event of no change",
    ),
    "an event told twice": (
        (
            f"UPDATE frame SET bytes = (SELECT bytes FROM frame WHERE seq = {A_COMMIT} - 1)"
            f" WHERE seq = {A_COMMIT}"
        ),
        "its event has seq",
    ),
    "an event that cannot be read": (
        f"UPDATE frame SET bytes = x'00' WHERE seq = {A_COMMIT}",
        "cannot be read",
    ),
    "an event of a private change": (
        (
            "INSERT INTO frame SELECT (SELECT max(seq) FROM change_log WHERE kind = 'document'),"
            " bytes FROM frame WHERE seq = 9"
        ),
        "a private change has an event",
    ),
    "a change lost": ("DELETE FROM change_log WHERE seq = 11", "since is"),
    "a head behind": (
        "UPDATE repo SET rev = '3aaaaaaaaaaaa' WHERE member_id = 1",
        "the log ends at",
    ),
    "another tree": (
        (
            "UPDATE repo SET data_cid = (SELECT data_cid FROM repo WHERE member_id = 2)"
            " WHERE member_id = 1"
        ),
        "signs another tree",
    ),
    "a foreign commit": (
        "UPDATE repo SET block = (SELECT block FROM repo WHERE member_id = 2) WHERE member_id = 1",
        "does not hash to its CID",
    ),
    "no head": ("DELETE FROM repo WHERE member_id = 1", "the repository has no head"),
    "no key": ("DELETE FROM key_vault WHERE owner = 1 AND purpose = 'repo-key'", "has no key"),
    "a blob not held": ("DELETE FROM blob", "is not held"),
    "a reference lost": ("DELETE FROM blob_ref", "the index of its blobs is wrong"),
    "a reference of nothing": (
        "INSERT INTO blob_ref SELECT member_id, cid, '/data/nothing' FROM blob",
        "but is not there",
    ),
    "a subject lost": (
        "UPDATE resource SET subject = NULL WHERE subject IS NOT NULL",
        "its subject is wrong",
    ),
    "a document in the repository": (
        f"UPDATE resource SET media_type = 'text/plain' WHERE {LAST}",
        "not a record, in the public repository",
    ),
    "a reader ahead of the log": ("INSERT INTO cursor VALUES ('x', 9999)", "the cursor of x"),
    "a change of nobody": (
        "INSERT INTO change_log SELECT 9999, 77, at, kind, rev, ops FROM change_log WHERE seq = 1",
        "a change of nobody",
    ),
}


@pytest.mark.parametrize(("statement", "finding"), DAMAGES.values(), ids=DAMAGES.keys())
def test_damage_is_found(folder: Path, statement: str, finding: str) -> None:
    damage(folder, statement)
    assert finding in "\n".join(check(folder))


def test_damage_ends_the_command_with_one(folder: Path) -> None:
    damage(folder, "DELETE FROM blob_ref")
    found = CliRunner().invoke(app, ["check", "--data-dir", str(folder)])
    assert found.exit_code == 1
    assert found.output.endswith("findings.\n")


def rows(folder: Path) -> list[object]:
    with closing(sqlite3.connect(folder / "pod.sqlite")) as connection:
        return [
            connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            for table in ("resource", "tombstone", "blob_ref", "usage", "frame", "remote_actor")
        ]


def test_all_that_is_derived_can_be_made_anew(folder: Path) -> None:
    before = rows(folder)
    damage(
        folder,
        "DELETE FROM blob_ref",
        "UPDATE usage SET bytes = 7",
        "UPDATE resource SET subject = 'x' WHERE subject IS NOT NULL",
        "INSERT INTO remote_actor VALUES ('http://peer.test/a', 1, x'00')",
    )
    found = CliRunner().invoke(app, ["rebuild", "--data-dir", str(folder)])
    assert (found.exit_code, found.output) == (0, "")
    assert rows(folder) == before
    assert list(check(folder)) == []


def test_keys_of_two_members_exchanged_are_found(folder: Path) -> None:
    async def exchange() -> None:
        async with sql_store(folder / "pod.sqlite") as store:
            key = store.secret(2, "repo-key")
            await store.write(lambda tx: tx.put_secret(1, "repo-key", key))

    asyncio.run(exchange())
    assert list(check(folder)) == ["alice.test: the commit is not signed by the member's key"]


@pytest.mark.parametrize("spoilt", [None, b"\x89PNG\r\n\x1a\n pixelz"])
def test_a_blob_file_that_is_gone_or_spoilt_is_found(folder: Path, spoilt: bytes | None) -> None:
    [file] = list((folder / "blobs").glob("*/*"))
    if spoilt is None:
        file.unlink()
    else:
        file.write_bytes(spoilt)
    assert [text for text in check(folder) if "the file is missing" in text] != []


def test_a_file_that_is_torn_is_found(folder: Path) -> None:
    with (folder / "pod.sqlite").open("r+b") as file:
        file.seek(4096 * 20)
        file.write(bytes(4096))
    assert "database: " in "\n".join(check(folder))
