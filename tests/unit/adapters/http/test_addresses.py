"""Only global unicast may be connected to, however an address is written."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.addresses import may_connect

REFUSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "127.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "①②⑦.⓪.⓪.①",
    "",
    "localhost",
]
REACHED = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("text", REFUSED)
def test_special_addresses_and_odd_spellings_are_refused(text: str) -> None:
    assert not may_connect(text, private=False)


@pytest.mark.parametrize("text", REACHED)
def test_global_addresses_are_reached(text: str) -> None:
    assert may_connect(text, private=False)


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "192.168.1.1", "10.1.1.1", "fc00::1"])
def test_development_reaches_its_own_network(text: str) -> None:
    assert may_connect(text, private=True)


@pytest.mark.parametrize("text", ["169.254.169.254", "0.0.0.0", "fe80::1", "224.0.0.1", "::"])
def test_development_still_refuses_the_rest(text: str) -> None:
    assert not may_connect(text, private=True)


@given(st.ip_addresses(v=4))
def test_a_mapped_address_is_judged_as_the_address_inside(address: IPv4Address) -> None:
    mapped = f"::ffff:{address}"
    for private in (True, False):
        assert may_connect(mapped, private=private) == may_connect(str(address), private=private)


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_nothing_that_the_standard_library_calls_special_is_reached(
    address: IPv4Address | IPv6Address,
) -> None:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return  # the standard library calls all of them reserved
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_reserved:
        assert not may_connect(str(address), private=False)
