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
        variable, free = option.lstrip("-").replace("-", "_").upper(), port + 10
        remedy = f"Choose another one with {option}, e.g. {option} {free} (with make: {variable}={free})"
        raise LaunchError(f"port {port} {cause}", remedy) from error
