"""A port that nobody listens on, for tests that open one or want one to stay silent."""

from __future__ import annotations

import socket


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """Of this computer's own address, and free a moment ago: another program could take it before it is used."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
