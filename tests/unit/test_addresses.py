"""Addresses as people type them."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from core.wire.errors import PhoneUnreachable
from trackers.addresses import is_address, own_address_towards, own_network_address, plain, split_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.168.1.20", ("192.168.1.20", 49983)),
        (" 192.168.1.20:1234 ", ("192.168.1.20", 1234)),
        ("fe80::1", ("fe80::1", 49983)),
        ("[fe80::1]:1234", ("fe80::1", 1234)),
        ("[fe80::1]", ("fe80::1", 49983)),
    ],
)
def test_an_address_is_understood_with_and_without_its_port(text: str, expected: tuple[str, int]) -> None:
    assert split_address(text, 49983) == expected


@pytest.mark.parametrize(
    "text",
    ["", "iphone.local", "192.168.1", "192.168.1.20:0", "192.168.1.20:70000", "1.2.3.4:5:6", "http://1.2.3.4", "::1:x"],
)
def test_anything_else_is_refused_and_named(text: str) -> None:
    with pytest.raises(PhoneUnreachable) as refusal:
        split_address(text, 49983)
    assert refusal.value.parameters["address"] == text


def test_one_address_has_one_plain_form() -> None:
    assert plain("::ffff:10.0.0.1") == "10.0.0.1"
    assert plain("fe80::1%eth0") == plain("FE80:0::1")
    assert plain("10.0.0.1") == "10.0.0.1"


def test_what_is_an_address() -> None:
    assert is_address("10.0.0.1")
    assert is_address("::1")
    assert not is_address("phone")


def test_the_way_to_this_computer_itself_is_the_loopback() -> None:
    assert own_address_towards("127.0.0.5").startswith("127.")


def test_the_computers_own_address_is_one_a_phone_can_reach_or_nothing() -> None:
    found = own_network_address()
    assert not found or not ip_address(found).is_loopback
