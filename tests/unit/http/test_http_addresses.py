"""Which addresses others may name: a table of the special-purpose registries of IANA, and of spellings."""

from __future__ import annotations

import pytest
import requests

from renderline.http import Client, PrivateAddress, is_private_literal, url_fault

REFUSED = {
    # IANA IPv4 special-purpose registry, a first and a last address of each range.
    "this network": ["0.0.0.0", "0.255.255.255"],
    "private": ["10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255"],
    "shared, Alibaba's metadata": ["100.64.0.0", "100.127.255.255", "100.100.100.200"],
    "loopback": ["127.0.0.1", "127.255.255.254"],
    "link-local, metadata": ["169.254.0.1", "169.254.169.254", "169.254.170.2"],
    "protocol assignments, Oracle's metadata": ["192.0.0.0", "192.0.0.9", "192.0.0.10", "192.0.0.192", "192.0.0.255"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.255"],
    "AS112, AMT, 6to4 relays": ["192.31.196.1", "192.175.48.1", "192.52.193.1", "192.88.99.1"],
    "benchmarks": ["198.18.0.0", "198.19.255.255"],
    "multicast, reserved, broadcast": ["224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"],
    "Azure's host": ["168.63.129.16"],
    # IANA IPv6 special-purpose registry.
    "unspecified and loopback 6": ["[::]", "[::1]"],
    "IPv4-mapped": ["[::ffff:10.0.0.1]", "[::ffff:7f00:1]", "[::ffff:168.63.129.16]"],
    "IPv4-compatible": ["[::127.0.0.1]", "[::7f00:1]", "[::8.8.8.8]"],
    "IPv4-translated": ["[::ffff:0:127.0.0.1]"],
    "NAT64": ["[64:ff9b::7f00:1]", "[64:ff9b::8.8.8.8]", "[64:ff9b:1::a00:1]"],
    "discard, dummy": ["[100::1]", "[100:0:0:1::1]"],
    "protocol assignments 6, Teredo, ORCHID": ["[2001::1]", "[2001:0:7f00:1::]", "[2001:2::1]", "[2001:20::1]"],
    "documentation 6": ["[2001:db8::1]", "[3fff::1]"],
    "6to4": ["[2002:7f00:1::1]", "[2002:808:808::1]"],
    "AS112 6": ["[2620:4f:8000::1]"],
    "segment routing": ["[5f00::1]"],
    "unique local, metadata": ["[fc00::1]", "[fd00::1]", "[fd00:ec2::254]"],
    "link-local 6": ["[fe80::1]", "[fe80::1%25lo]", "[febf::1]"],
    "site-local": ["[fec0::1]", "[feff::1]"],
    "multicast 6": ["[ff02::1]", "[ff0e::1]"],
    "no global unicast": ["[1::1]", "[4000::1]", "[e000::1]"],
    # The same in other words.
    "short, dword, octal, hex": ["127.1", "2130706433", "017700000001", "0x7f000001", "0x7f.1", "0177.0.0.1", "0"],
    "Unicode dots and digits": [
        "127\u30020\u30020\u30021",
        "127\uff0e0\uff0e0\uff0e1",
        "\uff11\uff12\uff17.0.0.1",
        "\u2460\u2461\u2466.0.0.1",
    ],
    "trailing dots": ["127.0.0.1.", "10.0.0.1.."],
}
NAMES = ["localhost", "LOCALHOST", "localhost.", "x.localhost", "localhost.localdomain", "metadata.google.internal",
         "metadata.google.internal.", "printer.local", "router.home.arpa", "\uff4cocalhost"]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "168.63.129.15", "168.63.129.17", "100.63.255.255", "100.128.0.0", "172.32.0.1",
          "192.0.1.1", "198.17.255.255", "223.255.255.255", "[2606:2800:220:1::1]", "[2a00:1450::1]",
          "[2001:4860::8888]", "[::ffff:8.8.8.8]", "example.com", "localhost.example.com",
          "internal.example.com", "10.example.com"]  # fmt: skip


@pytest.mark.parametrize("hosts", REFUSED.values(), ids=REFUSED)
def test_special_addresses_are_refused_at_the_door_and_not_connected_to(hosts: list[str]) -> None:
    client = Client(user_agent="test", allow_private=False)
    for host in hosts:
        url = f"http://{host}:9/"
        assert url_fault(url) or is_private_literal(url), host
        # Spellings that the resolver or the library does not take are connected to as little.
        expected = (PrivateAddress, requests.exceptions.InvalidURL, requests.exceptions.ConnectionError)
        with pytest.raises(expected) as caught:
            client.post(url, headers={}, body=b"", timeout=5.0)
        assert type(caught.value) is not requests.exceptions.ConnectionError or str(caught.value).startswith("Failed")


@pytest.mark.parametrize("host", NAMES)
def test_names_that_are_never_public_are_refused_at_the_door(host: str) -> None:
    url = f"http://{host}:9/"
    assert url_fault(url) or is_private_literal(url)


@pytest.mark.parametrize("host", PUBLIC)
def test_public_addresses_and_names_pass_the_door_without_a_lookup(host: str) -> None:
    assert not is_private_literal(f"http://{host}:9/")
