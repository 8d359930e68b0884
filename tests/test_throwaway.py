"""What a killed test leaves behind: nothing."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.service import wait_for
from tests.throwaway import belongings

_TEST_THAT_WILL_BE_KILLED = """
import subprocess, time
from tests.throwaway import throwaway_folder
with throwaway_folder("tauscope-killed-", megabytes=1) as disk, throwaway_folder("tauscope-killed-") as folder:
    for place in filter(None, (disk, folder)):
        subprocess.Popen(["sleep", "600"], cwd=place, start_new_session=True)
    print(disk or folder, folder, flush=True)
    time.sleep(600)
"""


def test_a_killed_test_leaves_neither_folder_nor_mount_nor_process() -> None:
    root = Path(__file__).parents[1]
    test = subprocess.Popen([sys.executable, "-c", _TEST_THAT_WILL_BE_KILLED], cwd=root, stdout=subprocess.PIPE, text=True)
    assert test.stdout is not None
    folders = [Path(text) for text in test.stdout.readline().split()]
    assert all(len(belongings(folder)) == 1 for folder in folders)
    test.send_signal(signal.SIGKILL)
    test.wait()
    test.stdout.close()
    wait_for(lambda: not any(folder.exists() for folder in folders), "the end of the folders", 20)
    assert not any(belongings(folder) for folder in folders)
