"""The firehose's fan-out: every consumer sees the log from its cursor on, whole and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.atproto.firehose.outbox import GOING_AWAY, POLICY_VIOLATION, Outbox
from pod.model.change import Change, ChangeKind
from pod.model.ids import MemberId
from pod.ports import Tx
from storage.in_memory import MemoryStore
from tests.kit.members import START
from tests.kit.other_cbor import decode_multi_dag_cbor_in_violation_of_the_spec

PUBLIC: Final[list[ChangeKind]] = ["commit", "identity", "account", "sync"]


class Wire:
    """One consumer: what arrived, and a gate that can be shut."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def push(self, frames: Sequence[bytes]) -> None:
        await self.gate.wait()
        await asyncio.sleep(0)
        self.got += frames

    @property
    def seqs(self) -> list[int]:
        return [int(frame) for frame in self.got if frame.isdigit()]

    def told(self) -> list[str]:
        """Names of the errors and infos among the frames."""
        names = []
        for frame in self.got:
            if not frame.isdigit():
                _, body = decode_multi_dag_cbor_in_violation_of_the_spec(frame)
                assert isinstance(body, dict)
                names.append(str(body.get("error", body.get("name"))))
        return names


class Stalled(Wire):
    """A connection that takes what it is given, and waits for somebody to read it."""

    async def push(self, frames: Sequence[bytes]) -> None:
        self.got += frames
        await self.gate.wait()


class Pod:
    """A store whose public changes have their own sequence number for a frame."""

    def __init__(self, buffer: int = 500, gathering_s: float = 0) -> None:
        self.store = MemoryStore()
        self.outbox = Outbox(self.store, buffer=buffer, gathering_s=gathering_s)
        self.store.subscribe(self.outbox.on_changes)
        self.public: list[int] = []

    async def write(self, count: int, *, private: bool = False, frameless: bool = False) -> None:
        def work(tx: Tx) -> list[int]:
            seqs = []
            for number in range(count):
                seq = tx.next_seq()
                kind: ChangeKind = "document" if private else PUBLIC[number % 4]
                frame = None if private or frameless else str(seq).encode()
                tx.append(Change(seq, MemberId(1), START, kind, None, (), frame))
                seqs.append(seq)
            return seqs

        seqs = await self.store.write(work)
        if not private and not frameless:
            self.public += seqs


async def settle() -> None:
    for _ in range(3000):
        await asyncio.sleep(0)


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def within_bounds() -> None:
        async with asyncio.timeout(20):
            await story()

    asyncio.run(within_bounds())


@given(
    st.lists(st.tuples(st.integers(1, 700), st.booleans()), max_size=4),
    st.lists(st.tuples(st.integers(1, 30), st.booleans()), max_size=8),
    st.integers(0, 3000),
)
def test_a_consumer_sees_all_after_its_cursor_once_and_in_order(
    before: list[tuple[int, bool]], during: list[tuple[int, bool]], wish: int
) -> None:
    async def story() -> None:
        pod, wire, newcomer = Pod(), Wire(), Wire()
        for count, private in before:
            await pod.write(count, private=private)
        cursor = min(wish, pod.store.head_seq())
        start = pod.store.head_seq()
        tasks = [
            asyncio.ensure_future(pod.outbox.stream(cursor, wire.push)),
            asyncio.ensure_future(pod.outbox.stream(None, newcomer.push)),
        ]
        await asyncio.sleep(0)
        for count, private in during:
            await pod.write(count, private=private)
            for _ in range(count * 3):
                await asyncio.sleep(0)
        await settle()
        assert wire.seqs == [seq for seq in pod.public if seq > cursor]
        assert newcomer.seqs == [seq for seq in pod.public if seq > start]
        assert wire.told() == newcomer.told() == []
        pod.outbox.close()
        assert [await task for task in tasks] == [GOING_AWAY] * 2
        assert pod.outbox.consumers == 0

    run(story)


def test_all_consumers_share_one_copy_of_a_frame() -> None:
    async def story() -> None:
        pod, wires = Pod(), [Wire(), Wire()]
        tasks = [asyncio.ensure_future(pod.outbox.stream(None, w.push)) for w in wires]
        await asyncio.sleep(0)
        await pod.write(1)
        await settle()
        assert wires[0].got[0] is wires[1].got[0]
        pod.outbox.close()
        await asyncio.gather(*tasks)

    run(story)


def test_a_cursor_from_the_future_is_refused() -> None:
    async def story() -> None:
        pod, wire = Pod(), Wire()
        await pod.write(3)
        assert await pod.outbox.stream(4, wire.push) == POLICY_VIOLATION
        assert wire.told() == ["FutureCursor"]
        assert wire.seqs == []

    run(story)


@pytest.mark.parametrize(
    ("cursor", "names"),
    [(0, ["OutdatedCursor"]), (3, ["OutdatedCursor"]), (4, []), (6, []), (8, [])],
)
def test_a_cursor_older_than_what_is_kept_is_told_so(cursor: int, names: list[str]) -> None:
    async def story() -> None:
        pod, wire = Pod(), Wire()
        await pod.write(4, frameless=True)
        await pod.write(2, private=True)
        await pod.write(3)
        task = asyncio.ensure_future(pod.outbox.stream(cursor, wire.push))
        await settle()
        assert wire.told() == names
        assert wire.seqs == [seq for seq in (7, 8, 9) if seq > cursor]
        task.cancel()

    run(story)


def test_private_changes_alone_make_no_cursor_old() -> None:
    async def story() -> None:
        pod, wire = Pod(), Wire()
        await pod.write(700, private=True)
        task = asyncio.ensure_future(pod.outbox.stream(0, wire.push))
        await settle()
        assert wire.got == []
        await pod.write(1)
        await settle()
        assert wire.seqs == [701]
        task.cancel()

    run(story)


def test_a_consumer_that_is_too_slow_is_dropped_and_the_others_are_not() -> None:
    async def story() -> None:
        pod, slow, quick = Pod(buffer=10), Wire(), Wire()
        ends = [asyncio.ensure_future(pod.outbox.stream(None, w.push)) for w in (slow, quick)]
        await asyncio.sleep(0)
        slow.gate.clear()
        for _ in range(7):
            await pod.write(2)
            await settle()
        slow.gate.set()
        assert await ends[0] == POLICY_VIOLATION
        assert slow.told() == ["ConsumerTooSlow"]
        assert len(slow.seqs) <= 2
        assert quick.seqs == pod.public
        assert pod.outbox.consumers == 1
        ends[1].cancel()

    run(story)


def test_a_consumer_that_takes_nothing_at_all_is_dropped_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.atproto.firehose.outbox._PATIENCE_S", 0.01)
    monkeypatch.setattr("adapters.atproto.firehose.outbox._LAST_WORD_S", 0.01)

    async def story() -> None:
        pod, dead = Pod(buffer=1), Wire()
        end = asyncio.ensure_future(pod.outbox.stream(None, dead.push))
        await asyncio.sleep(0)
        dead.gate.clear()
        await pod.write(1)
        await settle()
        await pod.write(2)
        assert await end == POLICY_VIOLATION
        assert pod.outbox.consumers == 0
        assert dead.got == []

    run(story)


def test_a_consumer_that_reads_on_much_later_finds_why_it_was_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.atproto.firehose.outbox._PATIENCE_S", 0.01)
    monkeypatch.setattr("adapters.atproto.firehose.outbox._LAST_WORD_S", 0.01)

    async def story() -> None:
        pod, asleep = Pod(buffer=1), Stalled()
        end = asyncio.ensure_future(pod.outbox.stream(None, asleep.push))
        await asyncio.sleep(0)
        asleep.gate.clear()
        await pod.write(1)
        await settle()
        await pod.write(2)
        assert await end == POLICY_VIOLATION
        assert (asleep.seqs, asleep.told()) == (pod.public[:1], ["ConsumerTooSlow"])

    run(story)


def test_a_consumer_that_leaves_is_forgotten() -> None:
    async def story() -> None:
        pod, wire = Pod(), Wire()
        task = asyncio.ensure_future(pod.outbox.stream(None, wire.push))
        await asyncio.sleep(0)
        assert pod.outbox.consumers == 1
        task.cancel()
        await settle()
        assert pod.outbox.consumers == 0

    run(story)


def test_frames_that_follow_each_other_closely_leave_together_and_in_order() -> None:
    async def story() -> None:
        pod, wire = Pod(gathering_s=0.05), Wire()
        runs: list[int] = []

        async def push(frames: Sequence[bytes]) -> None:
            runs.append(len(frames))
            await wire.push(frames)

        task = asyncio.ensure_future(pod.outbox.stream(None, push))
        await asyncio.sleep(0)
        for _ in range(6):
            await pod.write(1)
        while len(wire.got) < 6:
            await asyncio.sleep(0.001)
        assert wire.seqs == pod.public
        assert runs == [1, 5]
        task.cancel()

    run(story)
