"""Runs a command in a network of its own that leads nowhere, and tells every packet that tried to leave.

Started inside fresh user, network and mount namespaces (``unshare -rnm``), with the standard library only:
``network_cage.py FOLDER COMMAND...`` writes ``FOLDER/report.json``. There is only loopback, and all the world is routed
into it: what is sent anywhere is seen and comes to nothing. Two packets sent on purpose beforehand, one straight and
one look-up of a name, show that it would be seen.
"""

from __future__ import annotations

import ipaddress
import json
import os
import queue
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

assert sys.platform == "linux"

OUTSIDE, NAME_SERVER = "192.0.2.1", "192.0.2.53"
"""Addresses of a block that belongs to nobody (RFC 5737)."""
OWN, OWN_6 = "198.51.100.2", "fd00:99::2"
_SETUP = (
    "ip link set lo up",
    f"ip addr add {OWN}/32 dev lo",
    f"ip route add default dev lo src {OWN}",
    f"ip -6 addr add {OWN_6}/128 dev lo",
    f"ip -6 route add default dev lo src {OWN_6}",
)
_MAY_FAIL = "ip -6"
"""Not every computer has IPv6; then nothing can leave by it either."""
_ALL_PROTOCOLS, _IPV4, _IPV6 = 0x0003, 0x0800, 0x86DD
_TCP, _UDP, _ICMPV6, _HOP_BY_HOP, _DNS_PORT = 6, 17, 58, 0, 53
_OUTGOING = 4
"""The kernel shows what goes through loopback twice: leaving and arriving."""
_SEEN_WITHIN_S = 10.0


class Sniffer:
    """Collects every packet of this network that is not between two programs on this computer."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.ntohs(_ALL_PROTOCOLS))
        self._socket.settimeout(0.05)
        self._found: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self) -> list[str]:
        """The next packet that is seen and all that came with it; none when none comes in time."""
        try:
            return [self._found.get(timeout=_SEEN_WITHIN_S), *self.seen()]
        except queue.Empty:
            return []

    def seen(self) -> list[str]:
        """What was seen and not told yet."""
        time.sleep(0.2)
        found = []
        while not self._found.empty():
            found.append(self._found.get())
        return found

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                content, (_, protocol, direction, *_) = self._socket.recvfrom(65535)
            except TimeoutError:
                continue
            told = leaving(content, protocol)
            if told and direction == _OUTGOING:
                self._found.put(told)


def leaving(content: bytes, protocol: int) -> str:
    """Where a packet goes, when it wants to leave or asks for a name; else an empty string."""
    if protocol == _IPV4 and len(content) >= 20:
        kind, target = content[9], ipaddress.ip_address(content[16:20])
        transport = content[(content[0] & 15) * 4 :]
    elif protocol == _IPV6 and len(content) >= 40:
        kind, target = content[6], ipaddress.ip_address(content[24:40])
        transport = content[40:]
        if kind in (_ICMPV6, _HOP_BY_HOP) and target.is_multicast:
            return ""  # the kernel looking round for neighbours
    else:
        return f"protocol {protocol:#06x}"
    has_ports = kind in (_TCP, _UDP) and len(transport) >= 4
    port = struct.unpack_from("!H", transport, 2)[0] if has_ports else 0
    stays = target.is_loopback or str(target) in (OWN, OWN_6)
    return "" if stays and port != _DNS_PORT else f"{target} protocol {kind} port {port}"


def main(folder: Path, command: list[str]) -> None:
    """Set up, show that packets are seen, run the command, write down what was seen."""
    report: dict[str, Any] = {}
    try:
        for line in _SETUP:
            subprocess.run(
                line.split(), check=not line.startswith(_MAY_FAIL), capture_output=True, text=True, timeout=20
            )
        servers = folder / "resolv.conf"
        servers.write_text(f"nameserver {NAME_SERVER}\noptions timeout:1 attempts:1\n", encoding="utf-8")
        subprocess.run(
            ["mount", "--bind", str(servers), "/etc/resolv.conf"],
            check=True,
            capture_output=True,
            text=True,
            timeout=20,
        )
        sniffer = Sniffer()
    except (OSError, subprocess.SubprocessError) as problem:
        report["unable"] = f"{problem} {getattr(problem, 'stderr', '') or ''}".strip()
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as straight:
            straight.sendto(b"seen?", (OUTSIDE, 9))
        report["straight"] = sniffer.wait()
        try:
            socket.getaddrinfo("telemetry.example.com", 443)
        except OSError as problem:
            report["lookup_failed"] = str(problem)
        report["lookup"] = sniffer.wait()
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        report.update(code=ended.returncode, output=ended.stdout, problems=ended.stderr[-4000:], sent=sniffer.seen())
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
    os._exit(0)
