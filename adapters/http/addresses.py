"""Which network addresses the pod may connect to: global unicast, and in development loopback.

Spec: https://www.iana.org/assignments/iana-ipv4-special-registry,
https://www.iana.org/assignments/iana-ipv6-special-registry (own tables: the standard library's
``is_private`` and ``is_global`` let multicast, NAT64 and IPv4-compatible addresses through)
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_SPECIAL_V4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_V6: Final = IPv6Network("2000::/3")
_SPECIAL_V6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_OWN: Final = tuple(
    IPv4Network(text) for text in ("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
_OWN_V6: Final = (IPv6Network("::1/128"), IPv6Network("fc00::/7"))


def may_connect(text: str, *, private: bool) -> bool:
    """Whether an address literal may be connected to.

    ``private`` adds loopback and the private ranges, for development; link-local addresses (cloud
    metadata) and everything else special stay refused.
    """
    address = _read(text)
    if address is None:
        return False
    if private and _is_own(address):
        return True
    if isinstance(address, IPv4Address):
        return not any(address in net for net in _SPECIAL_V4)
    return address in _GLOBAL_V6 and not any(address in net for net in _SPECIAL_V6)


def is_own(text: str) -> bool:
    """Whether an address literal is loopback or of a private network."""
    address = _read(text)
    return address is not None and _is_own(address)


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _is_own(address: IPv4Address | IPv6Address) -> bool:
    nets = _OWN if isinstance(address, IPv4Address) else _OWN_V6
    return any(address in net for net in nets)
