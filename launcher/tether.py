"""``python -m launcher.tether PARENT_PID COMMAND...``: become the command, and be told to end when the parent dies.

A part of the stack must not outlive its supervisor, also when that is killed without warning. Linux can signal the
child of a dead parent; where it cannot, the next start clears what is left.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for SIGTERM at the parent's death, then replace this process by the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit("the supervisor is gone already")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
