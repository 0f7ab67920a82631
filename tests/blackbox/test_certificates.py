"""The Caddyfile of the documentation gets certificates from an ACME server, for members only."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator

import pytest

from tests.kit.process import Server, free_port
from tests.kit.town import Town, needs, self_signed, town
from tests.kit.xrpc_client import XrpcClient

pytestmark = pytest.mark.peer
DOMAINS = json.dumps([{"handle_suffix": ".pods.test", "origin": "https://{name}.pods.test"}])


@pytest.fixture(scope="module")
def pebbled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Server, int]]:
    """A pod behind Caddy, whose certificates come from Pebble."""
    needs("caddy", "pebble")
    with town(tmp_path_factory.mktemp("town"), "pods.test", "acme.test") as place:
        acme, management, https = free_port(), free_port(), free_port()
        _pebble(place, acme, management)
        server = place.pod("pods.test", COMMONPOD_SERVICE_DOMAINS=DOMAINS)
        root = place.folder / "acme.pem"
        options = f"acme_ca https://acme.test:{acme}/dir\nacme_ca_root {root}"
        place.front(server.port, options=options, https=https)
        fetched = asyncio.run(_root(place, management))
        place.trusted.write_text(fetched)
        yield place, server, https


def _pebble(place: Town, acme: int, management: int) -> None:
    """An ACME server that takes everybody's word for the challenge."""
    key, certificate = place.folder / "acme.key", place.folder / "acme.pem"
    self_signed("acme.test", key, certificate)
    config = {
        "pebble": {
            "listenAddress": f"127.0.0.1:{acme}",
            "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": str(certificate),
            "privateKey": str(key),
            "httpPort": 5002,
            "tlsPort": 5001,
        }
    }
    file = place.folder / "pebble.json"
    file.write_text(json.dumps(config))
    place.trusted.write_text(certificate.read_text())
    patience = {
        "PEBBLE_VA_ALWAYS_VALID": "1",
        "PEBBLE_VA_NOSLEEP": "1",
        "PEBBLE_WFE_NONCEREJECT": "0",
    }
    place.start("pebble", ["pebble", "-config", str(file)], patience, acme)


async def _root(place: Town, management: int) -> str:
    """The root that Pebble's certificates lead to."""
    place.trusted.write_text((place.folder / "acme.pem").read_text())
    status, text, _ = await place.get(f"https://acme.test:{management}/roots/0")
    assert status == 200
    return text


def test_a_certificate_is_made_when_a_members_name_is_first_asked_for(
    pebbled: tuple[Town, Server, int],
) -> None:
    place, server, https = pebbled
    XrpcClient(server.address).join("alice", suffix=".pods.test")
    names = ("pods.test", "alice.pods.test")
    for name in names:
        shown = place.certificate(name, https)
        assert ("DNS", name) in shown["subjectAltName"]
        assert "Pebble" in str(shown["issuer"])
    status, text, _ = asyncio.run(
        place.get(f"https://alice.pods.test:{https}/.well-known/atproto-did", Host=names[1])
    )
    assert (status, text.startswith("did:plc:")) == (200, True)


def test_nobody_gets_a_certificate_for_a_name_where_nobody_lives(
    pebbled: tuple[Town, Server, int],
) -> None:
    place, _, https = pebbled
    for name in ("nobody.pods.test", "evil.test"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            place.certificate(name, https)


def test_who_comes_without_tls_is_sent_to_the_same_page_with_it(
    pebbled: tuple[Town, Server, int],
) -> None:
    place, _, _ = pebbled
    asked = f"http://alice.pods.test:{place.plain}/data/?page=2"
    status, _, headers = asyncio.run(place.get(asked, Host="alice.pods.test"))
    assert (status, headers["Location"]) == (308, "https://alice.pods.test/data/?page=2")
