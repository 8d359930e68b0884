"""Free ports, checked before anything starts."""

import errno
import socket
from collections.abc import Mapping

from launcher.errors import LaunchError


def check_ports(host: str, ports: Mapping[str, int]) -> None:
    """Make sure that every port can be listened on; ``ports`` goes from the option that sets it to its number.

    Raises:
        LaunchError: naming the port and the option.
    """
    if len(set(ports.values())) < len(ports):
        raise LaunchError(f"{' and '.join(ports)} are the same port, {next(iter(ports.values()))}", "Give each its own")
    for option, port in ports.items():
        _check_port(host, option, port)


def _check_port(host: str, option: str, port: int) -> None:
    try:
        with socket.socket() as probe:
            # As servers do: connections of an earlier server that are still closing do not matter.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        cause = "is taken by another program" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        variable, free = option.lstrip("-").replace("-", "_").upper(), port + 10
        remedy = f"Choose another one with {option}, e.g. {option} {free} (with make: {variable}={free})"
        raise LaunchError(f"port {port} {cause}", remedy) from error
