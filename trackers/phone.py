"""What every phone on the network has in common: its address, where we listen for it, and what we ask it for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.wire.errors import AddressUnusable
from core.wire.settings import Value

from .addresses import LOOPBACK, is_address, own_address_towards, own_network_address, split_address
from .base import Decoder, Hint
from .udp import Conversation, UdpTracker

SILENT_NS = 3_000_000_000
"""After so long without a packet the user is told what may be wrong."""


@dataclass(frozen=True, slots=True)
class Phone:
    """Where the phone is and where we wait for it."""

    address: str
    """Empty when the user gave none: then only this computer itself is listened to."""
    port: int
    listen_on: Callable[[], str]

    @property
    def peer(self) -> str | None:
        """The only address whose packets are let in; None while there is none to choose."""
        return self.address or None


def phone_of(settings: Mapping[str, Value], default_port: int) -> Phone:
    """The phone of the settings ``phone_address`` and ``listen_address``.

    Without an address of our own we listen on the one network card through which the phone is reached, and without a
    phone's address on this computer's loopback. Raises AddressUnusable or
    PhoneUnreachable.
    """
    given, own = str(settings["phone_address"]), str(settings["listen_address"])
    if own and not is_address(own):
        raise AddressUnusable("not an address", address=own)
    if not given:
        return Phone("", default_port, lambda: own or LOOPBACK)
    address, port = split_address(given, default_port)
    return Phone(address, port, lambda: own or own_address_towards(address))


class Requests:
    """Asks a phone again and again: it may be late, gone, or back. See :class:`trackers.udp.Conversation`.

    ``while_silent_s``: how often while nothing comes; ``while_heard_s``: how often while packets come.
    """

    def __init__(
        self,
        peer: tuple[str, int],
        packets: Sequence[bytes],
        *,
        while_silent_s: float = 1.0,
        while_heard_s: float = 10.0,
        goodbye: Sequence[bytes] = (),
    ) -> None:
        self.peer = peer
        self._packets = packets
        self._silent_ns, self._heard_ns = int(while_silent_s * 1e9), int(while_heard_s * 1e9)
        self._goodbye = goodbye
        self._sent_ns = self._first_ns = 0

    def due(self, now_ns: int, heard_ns: int) -> Sequence[bytes]:
        """The request, when it is time to repeat it."""
        silent = heard_ns == 0 or now_ns - heard_ns > 1_500_000_000
        if self._sent_ns and now_ns - self._sent_ns < (self._silent_ns if silent else self._heard_ns):
            return ()
        self._sent_ns = now_ns
        self._first_ns = self._first_ns or now_ns
        return self._packets

    def farewell(self) -> Sequence[bytes]:
        """What ends the stream, where the protocol has that."""
        return self._goodbye

    def hints(self, now_ns: int, heard_ns: int) -> tuple[Hint, ...]:
        """``request_sent`` while nothing comes."""
        since = max(heard_ns, self._first_ns)
        if not self._first_ns or now_ns - since < SILENT_NS:
            return ()
        return (Hint("request_sent", {"seconds": (now_ns - since) // 1_000_000_000, "phone": self.peer[0]}, True),)


def waiting_hints(phone: Phone, port: int) -> Callable[[int, int], tuple[Hint, ...]]:
    """For apps that send without being asked: what to type into them, while nothing comes."""
    shown = own_network_address()

    def hints(now_ns: int, heard_ns: int) -> tuple[Hint, ...]:
        if heard_ns and now_ns - heard_ns < SILENT_NS:
            return ()
        if not phone.address:
            return (Hint("phone_address_missing", {"computer": shown or "?"}, True),)
        return (Hint("waiting_for_phone", {"phone": phone.address, "computer": shown or "?", "port": port}, True),)

    return hints


def open_listening(name: str, settings: Mapping[str, Value], port: int, decoder: Decoder) -> UdpTracker:
    """A tracker for an app that sends to ``port`` of this computer by itself."""
    return listen_for(name, phone_of(settings, port), port, decoder)


def listen_for(
    name: str,
    phone: Phone,
    port: int | tuple[int, ...],
    decoder: Decoder,
    conversation: Conversation | None = None,
    *,
    also_sends_unasked: bool = False,
    recording_prefix: str = "",
) -> UdpTracker:
    """A tracker for what the phone sends to ``port``, asked by ``conversation`` or of itself.

    What to type into the app is told where nobody asks it, or where it ``also_sends_unasked``.
    """
    told = conversation is None or also_sends_unasked
    return UdpTracker(
        name,
        phone.listen_on,
        port,
        decoder,
        peer=phone.peer,
        conversation=conversation,
        hints=waiting_hints(phone, port if isinstance(port, int) else port[0]) if told else None,
        recording_prefix=recording_prefix,
    )
