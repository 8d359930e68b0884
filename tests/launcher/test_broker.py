"""The embedded broker: who can reach it, and what it keeps."""

import subprocess
from pathlib import Path

import pytest

from backend.storage.outbox import Outbox
from launcher import broker as module
from launcher.broker import answers, connect, prepare_broker
from tests.service import wait_for


def run_broker(command: tuple[str, ...], url: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait_for(lambda: answers(url), "the broker")
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()


def test_only_this_user_can_reach_the_socket(tmp_path: Path) -> None:
    plan = prepare_broker(tmp_path / "broker")
    assert plan.url == f"redis+socket://{tmp_path}/broker/broker.sock"
    assert (tmp_path / "broker").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "broker" / "broker.conf").stat().st_mode & 0o077 == 0


def test_a_home_with_a_long_path_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    plan = prepare_broker(tmp_path / ("long" * 25))
    assert plan.socket_folder is not None and plan.socket_folder.stat().st_mode & 0o077 == 0
    process = run_broker(plan.command, plan.url)
    end(process)
    assert prepare_broker(plan.data).socket_folder == plan.socket_folder, "a killed start leaves no second folder"
    plan.clean_up()
    assert not plan.socket_folder.exists()


def test_without_sockets_it_listens_on_loopback_with_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_can_bind", lambda path: False)
    plan = prepare_broker(tmp_path / "broker")
    process = run_broker(plan.command, plan.url)
    without_password = "redis://" + plan.url.partition("@")[2]
    assert not answers(without_password)
    assert all("requirepass" not in argument for argument in plan.command)
    end(process)


def test_messages_survive_a_restart(tmp_path: Path) -> None:
    plan = prepare_broker(tmp_path / "a folder with spaces" / "broker")
    process = run_broker(plan.command, plan.url)
    outbox = Outbox(plan.url)
    assert outbox.wake([("a", "default"), ("b", "default")]) == ["a", "b"]
    end(process)
    process = run_broker(plan.command, plan.url)
    assert outbox.depth() == 2
    outbox.close()
    end(process)
    plan.clean_up()


def test_an_absent_or_frozen_broker_is_noticed(tmp_path: Path) -> None:
    plan = prepare_broker(tmp_path / "broker")
    outbox = Outbox(plan.url)
    assert outbox.wake([("a", "default")]) == []
    process = run_broker(plan.command, plan.url)
    assert outbox.wake([("a", "default")]) == ["a"]
    process.send_signal(19)
    assert outbox.wake([("b", "default")]) == [], "without a limit it would wait for the frozen one until it goes on"
    process.send_signal(18)
    with connect(plan.url) as client:
        assert client.ping()
    outbox.close()
    end(process)
