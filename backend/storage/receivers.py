"""Where a hook may lead: the API refuses an address that cannot be right, and whoever sends looks again at what its name resolves to."""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}
# Where clouds keep the credentials of their machines, outside of the link-local networks that are refused anyway.
_METADATA = [ip_network(text) for text in ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")]
_THIS_NETWORK = ip_network("0.0.0.0/8")
_NAT64 = ip_network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


class ReceiverRefusedError(Exception):
    """Nothing is sent to this address; the message says why, then what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}. {remedy}")
        self.message, self.remedy = message, remedy


@dataclass(frozen=True)
class Receiver:
    """An address taken apart."""

    scheme: str
    host: str
    port: int
    target: str  # Path and query.

    @property
    def host_header(self) -> str:
        """The host as requests name it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_receiver(url: str, *, allow_private: bool) -> Receiver:
    """Take an address apart; one that names a number instead of a host is looked at at once, without asking any name server.

    Raises:
        ReceiverRefusedError: if nothing may be sent there.
    """
    receiver = _take_apart(url)
    if receiver.host == "localhost" or receiver.host.endswith(".localhost"):
        check_address("127.0.0.1", allow_private=allow_private)
    try:
        # Also spellings such as 2130706433 and 0x7f.1, which the resolver takes for numbers.
        found = socket.getaddrinfo(receiver.host, receiver.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return receiver
    for *_, address in found:
        check_address(str(address[0]), allow_private=allow_private)
    return receiver


def check_address(address: str, *, allow_private: bool) -> None:
    """Refuse the address of a machine that no hook may reach; private ones pass where the settings allow it.

    Raises:
        ReceiverRefusedError: naming it.
    """
    ip = _innermost(ip_address(address.partition("%")[0]))
    if _is_never_allowed(ip):
        raise ReceiverRefusedError(
            f"{address} is a link-local, metadata, multicast or reserved address", "Name a receiver that has an address of its own"
        )
    if not ip.is_global and not allow_private:
        raise ReceiverRefusedError(
            f"{address} is a loopback or private address",
            "Set TAUSCOPE_WEBHOOKS_PRIVATE=true for the API and the reconciler if this network's own machines may be reached",
        )


def _take_apart(url: str) -> Receiver:
    try:
        parts, port = _split(url)
    except ValueError as error:
        raise ReceiverRefusedError(f"this is no address ({error})", "Write it as https://host/path") from error
    if parts.scheme not in _PORTS:
        raise ReceiverRefusedError(f"{parts.scheme or 'nothing'!r} is no scheme of a hook", "Use http or https")
    if parts.username is not None or parts.password is not None:
        raise ReceiverRefusedError("the address holds a user or password", "Verify the signature instead, or put a token into the path")
    if not parts.hostname or not url.isascii() or any(sign <= " " or sign == "\x7f" for sign in url):
        raise ReceiverRefusedError("the address has no host, or holds signs that no address has", "Write it in ASCII, a name in punycode")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Receiver(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], target)


def _split(url: str) -> tuple[SplitResult, int | None]:
    parts = urlsplit(url)
    return parts, parts.port


def _innermost(ip: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it stands for one."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip.teredo is not None:
        return ip.teredo[1]
    nat64 = IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
    return ip.ipv4_mapped or ip.sixtofour or nat64 or ip


def _is_never_allowed(ip: Address) -> bool:
    if ip.is_loopback:
        return False  # Of IPv6 a part of what is reserved.
    special = ip.is_link_local or ip.is_multicast or ip.is_reserved or ip.is_unspecified
    return special or ip in _THIS_NETWORK or any(ip in network for network in _METADATA)
