"""What is checked before anything starts."""

import socket
from pathlib import Path

import pytest

from launcher.errors import LaunchError
from launcher.home_lock import HomeLock, running_address
from launcher.ports import check_ports


def test_a_second_stack_on_a_home_is_told_who_has_it_and_where(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path, "http://127.0.0.1:8501")
    with pytest.raises(LaunchError, match=r"one already runs on .* \(process \d+, http://127.0.0.1:8501\)"):
        HomeLock(tmp_path, "http://127.0.0.1:9999")
    assert running_address(tmp_path) == "http://127.0.0.1:8501"
    lock.release()
    assert running_address(tmp_path) is None
    HomeLock(tmp_path, "http://127.0.0.1:9999").release()


def test_a_taken_port_is_named_with_its_option() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(LaunchError, match=f"port {port} is taken") as caught:
            check_ports("127.0.0.1", {"--port": port})
    assert "--port" in caught.value.remedy


def test_two_options_with_one_port_are_refused() -> None:
    with pytest.raises(LaunchError, match="--port and --api-port are the same port"):
        check_ports("127.0.0.1", {"--port": 8501, "--api-port": 8501})
