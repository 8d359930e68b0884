"""Parts end with their supervisor, and what an earlier one left is recognised and cleared."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.part import Part
from launcher.processes import end_process, started_at
from launcher.record import PartsRecord
from launcher.settings import UpSettings
from launcher.stack import Stack
from launcher.stopping import StopRequest
from launcher.terminal import Terminal
from tests.service import wait_for

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEPER)
    yield process
    process.kill()
    process.wait()


def test_a_process_is_recognised_by_when_it_started(sleeper: subprocess.Popen[bytes]) -> None:
    identity = started_at(sleeper.pid)
    assert identity is not None
    assert started_at(sleeper.pid) == identity
    sleeper.kill()
    sleeper.wait()
    assert started_at(sleeper.pid) is None


def test_a_process_that_only_has_the_pid_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    end_process(sleeper.pid, "another start", grace_seconds=0.1)
    assert sleeper.poll() is None


def test_a_process_that_ignores_sigterm_is_killed() -> None:
    process = subprocess.Popen(STUBBORN, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    identity = started_at(process.pid)
    assert identity is not None
    end_process(process.pid, identity, grace_seconds=0.2)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()


def test_orphans_of_an_earlier_stack_are_ended(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    PartsRecord(tmp_path).note("worker", sleeper.pid, started_at(sleeper.pid))
    assert PartsRecord(tmp_path).end_orphans(grace_seconds=5) == ["worker"]
    assert sleeper.wait() == -signal.SIGTERM
    assert PartsRecord(tmp_path).end_orphans(grace_seconds=5) == []


def test_a_damaged_record_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "parts.json").write_text("{half")
    assert PartsRecord(tmp_path).end_orphans(grace_seconds=1) == []


def test_a_part_dies_with_a_killed_supervisor(tmp_path: Path) -> None:
    code = f"""
import os, sys, time
from pathlib import Path
from launcher.part import Part
part = Part("part", {SLEEPER!r}, os.environ, Path({str(tmp_path)!r}), grace_seconds=1)
print(part.start()[0], flush=True)
time.sleep(60)
"""
    supervisor = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert supervisor.stdout is not None
    pid = int(supervisor.stdout.readline())
    wait_for(lambda: b"time.sleep" in Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"tether")[0])
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    wait_for(lambda: started_at(pid) is None)


def test_a_dead_part_waits_longer_each_time_and_its_log_is_kept(tmp_path: Path) -> None:
    part = Part("part", [sys.executable, "-c", "print('why it died')"], os.environ, tmp_path, grace_seconds=1)
    delays = []
    for _ in range(3):
        part.start()
        wait_for(lambda: not part.alive)
        delays.append(part.schedule_restart())
    assert delays == [0.5, 1.0, 2.0]
    assert part.how_it_ended() == "exit code 0"
    assert part.log_tail().splitlines() == ["why it died"] * 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_part_is_started_again_though_the_disk_is_full(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "parts.part").symlink_to("/dev/full")
    stack = Stack(UpSettings(home=tmp_path), Terminal(), StopRequest())
    part = Part("api", SLEEPER, os.environ, tmp_path / "logs", grace_seconds=1.0)
    stack._start_part(part)
    assert part.alive
    part.kill()
    assert "No space left on device" in capfd.readouterr().out


def test_on_ones_own_machine_hooks_may_lead_to_it_unless_the_environment_forbids_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = Stack(UpSettings(home=tmp_path, port=8601), Terminal(), StopRequest())
    for given, handed_on in ((None, "true"), ("false", "false")):
        if given is not None:
            monkeypatch.setenv("TAUSCOPE_WEBHOOKS_PRIVATE", given)
        for part in stack._make_parts("redis://127.0.0.1:1/0"):
            assert part._environment["TAUSCOPE_WEBHOOKS_PRIVATE"] == handed_on
            assert part._environment["TAUSCOPE_PUBLIC_URL"] == "http://127.0.0.1:8601"


def test_a_part_that_fails_by_itself_at_its_first_start_cannot_start_and_one_that_was_killed_or_lived_before_can(tmp_path: Path) -> None:
    def ended(code: str, *, starts: int = 1) -> bool:
        part = Part("part", [sys.executable, "-c", code], os.environ, tmp_path, grace_seconds=1)
        for _ in range(starts):
            part.start()
            wait_for(lambda: not part.alive)
        return part.cannot_start

    assert ended("raise SystemExit(1)")
    assert not ended("raise SystemExit(1)", starts=2)
    assert not ended("import os; os.kill(os.getpid(), 9)")
