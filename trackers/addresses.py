"""Network addresses as people type them, and which of this computer's own addresses a phone can reach."""

from __future__ import annotations

import re
import socket
from ipaddress import ip_address

from core.wire.errors import PhoneUnreachable

LOOPBACK = "127.0.0.1"
_WITH_PORT = re.compile(r"^(?:\[(?P<six>[0-9a-fA-F:.%]+)\]|(?P<four>[0-9.]+))(?::(?P<port>[0-9]{1,5}))?$")


def split_address(text: str, default_port: int) -> tuple[str, int]:
    """Address and port of ``192.168.1.20``, ``192.168.1.20:49983``, ``fe80::1`` or ``[fe80::1]:49983``.

    Raises PhoneUnreachable for anything else: a name would have to be looked up, and that can take very long.
    """
    cleaned = text.strip()
    found = _WITH_PORT.match(cleaned)
    address, port = cleaned, default_port
    if found is not None:
        address = found["six"] or found["four"]
        port = int(found["port"] or default_port)
    if not is_address(address) or not 0 < port < 65536:
        raise PhoneUnreachable("not an address", address=cleaned)
    return address, port


def is_address(text: str) -> bool:
    """Is this an IPv4 or IPv6 address?"""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def plain(address: str) -> str:
    """The address in the one form it is compared in: ``::ffff:10.0.0.1`` is ``10.0.0.1``, zones are left out."""
    parsed = ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)


def own_address_towards(peer: str) -> str:
    """This computer's own address on the network on which ``peer`` is. Nothing is sent.

    Raises PhoneUnreachable when there is no way there.
    """
    family = socket.AF_INET6 if ip_address(peer).version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            # connecting a datagram socket only looks up the route
            probe.connect((peer, 9))
            return str(probe.getsockname()[0])
    except OSError as problem:
        raise PhoneUnreachable(str(problem), address=peer) from problem


def own_network_address() -> str:
    """The address by which this computer is known to others, to be typed in on a phone; empty without a network."""
    try:
        # an address of the documentation's range: it only decides which network card is asked
        address = own_address_towards("192.0.2.1")
    except PhoneUnreachable:
        return ""
    return "" if ip_address(address).is_loopback or ip_address(address).is_unspecified else address
