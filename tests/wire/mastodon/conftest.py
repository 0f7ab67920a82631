"""A town with two members and their phones, for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.phone import Phone, phone_of
from tests.kit.whole import Person, Town


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    pod = Town(tmp_path_factory.mktemp("pod"))
    yield pod
    pod.close()


@pytest.fixture(scope="module")
def ann(pod: Town) -> Phone:
    return pod.run(_come(pod, "ann"))


@pytest.fixture(scope="module")
def ben(pod: Town) -> Phone:
    return pod.run(_come(pod, "ben"))


@pytest.fixture(scope="module")
def people(town: Town) -> tuple[Person, Person]:
    async def join() -> tuple[Person, Person]:
        return await town.whole.join("alice"), await town.whole.join("bob")

    return town.run(join())


async def _come(pod: Town, name: str) -> Phone:
    return await phone_of(pod.whole, await pod.whole.join(name))
