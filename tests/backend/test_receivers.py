"""Where hooks may lead."""

import pytest

from backend.storage.receivers import ReceiverRefusedError, check_address, parse_receiver

NEVER = [
    *("169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "240.0.0.1"),
    *("::", "ff02::1", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"),
    # The same in the disguises of IPv6: mapped, NAT64, 6to4, compatible.
    *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::169.254.169.254"),
]
PRIVATE = [
    *("127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.5.4", "192.168.1.1", "100.64.0.1", "::1", "fd12:3456::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"),
]
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("allow_private", [False, True])
def test_link_local_metadata_and_special_addresses_are_refused_whatever_the_setting(address: str, allow_private: bool) -> None:
    with pytest.raises(ReceiverRefusedError, match="link-local, metadata, multicast or reserved"):
        check_address(address, allow_private=allow_private)


@pytest.mark.parametrize("address", PRIVATE)
def test_loopback_and_private_addresses_pass_only_where_the_setting_allows_them(address: str) -> None:
    check_address(address, allow_private=True)
    with pytest.raises(ReceiverRefusedError, match="TAUSCOPE_WEBHOOKS_PRIVATE"):
        check_address(address, allow_private=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    check_address(address, allow_private=False)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://lab.org/x", "no scheme of a hook"),
        ("file:///etc/passwd", "no scheme of a hook"),
        ("lab.org/hook", "no scheme of a hook"),
        ("gopher://127.0.0.1:6379/_FLUSHALL", "no scheme of a hook"),
        ("https://", "no host"),
        ("https://lab.org:99999/", "no address"),
        ("https://[::1", "no address"),
        ("https://ann:secret@lab.org/", "user or password"),
        ("https://lab.org@169.254.169.254/", "user or password"),
        ("https://läb.org/", "ASCII"),
        ("https://lab.org/a b", "ASCII"),
        ("https://lab.org/a\x00b", "ASCII"),
        ("http://169.254.169.254/latest/meta-data", "link-local"),
        ("http://[::ffff:169.254.169.254]/", "link-local"),
        ("http://2852039166/", "link-local"),
        ("http://0xa9.0xfe.0xa9.0xfe/", "link-local"),
        ("http://localhost:8500/", "loopback or private"),
        ("http://api.localhost/", "loopback or private"),
        ("http://2130706433/", "loopback or private"),
        ("http://127.1/", "loopback or private"),
        ("http://0x7f.1/", "loopback or private"),
        ("http://[::1]:80/", "loopback or private"),
        ("http://10.0.0.8/hook", "loopback or private"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused_without_asking_a_name_server(url: str, words: str) -> None:
    with pytest.raises(ReceiverRefusedError, match=words):
        parse_receiver(url, allow_private=False)


def test_an_address_is_taken_apart() -> None:
    receiver = parse_receiver("https://Lab.org:8443/hook/x?key=1#part", allow_private=False)
    assert (receiver.scheme, receiver.host, receiver.port, receiver.target) == ("https", "lab.org", 8443, "/hook/x?key=1")
    assert receiver.host_header == "lab.org:8443"
    assert parse_receiver("http://lab.org", allow_private=False).target == "/"
    assert parse_receiver("http://[::1]:80", allow_private=True).host_header == "[::1]"
