"""On which machine, and when, a results folder was worked on: a line of ``sittings.jsonl`` each time."""

import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

FILE = "sittings.jsonl"
_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Sitting:
    """One time that runs were computed: the day it began and what it was computed on."""

    began: str
    cpu: str
    cores: int
    memory_gib: float
    python: str
    torch: str
    allocator: str
    machine_code: str = ""  # Of records made before this was noted it is not known.

    @property
    def machine(self) -> str:
        """Everything but the day, in words."""
        parts = (f"{self.cpu}, {self.cores} cores", f"{self.memory_gib:g} GiB", f"Python {self.python}", f"PyTorch {self.torch}")
        compiled = (f"machine code of ours by {self.machine_code}" if self.machine_code != "none" else "no machine code of ours",)
        return ", ".join((*parts, self.allocator, *(compiled if self.machine_code else ())))


def this_sitting(environment: Mapping[str, str]) -> Sitting:
    """Today, on this machine.

    Args:
        environment: of the processes that train, which says what allocates their memory.
    """
    return Sitting(
        began=date.today().isoformat(),
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        python=platform.python_version(),
        torch=version("torch"),
        allocator=_allocator(environment),
        machine_code=_machine_code(),
    )


def record_sitting(folder: Path, sitting: Sitting) -> None:
    """Note that work on the folder begins; what is on record already stays."""
    if sitting in read_sittings(folder):
        return
    with (folder / FILE).open("a") as file:
        file.write(json.dumps(asdict(sitting)) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_sittings(folder: Path) -> list[Sitting]:
    """All that is on record, oldest first; a line that a crash cut short is no record."""
    path = folder / FILE
    lines = path.read_text().split("\n")[:-1] if path.is_file() else []
    return [Sitting(**json.loads(line)) for line in lines]


def sittings_words(sittings: Iterable[Sitting]) -> str:
    """Each machine with its days; a folder that was filled otherwise says that it is not known."""
    days: dict[str, list[str]] = {}
    for sitting in sittings:
        days.setdefault(sitting.machine, []).append(sitting.began)
    told = [f"{machine}; {' and '.join(dict.fromkeys(began))}" for machine, began in days.items()]
    return "; then ".join(told) or "not on record"


def _cpu() -> str:
    """The processor's own name on Linux, elsewhere what Python knows of it."""
    found = re.search(r"^model name\s*:\s*(.+)$", _CPU_INFO.read_text(), re.MULTILINE) if _CPU_INFO.is_file() else None
    return found[1].strip() if found else platform.processor() or platform.machine()


def _machine_code() -> str:
    """What compiles machine code of ours for the trainers of a results folder, which have one thread each (``networks.native``)."""
    return f"Numba {version('numba')}" if find_spec("numba") else "none"


def _allocator(environment: Mapping[str, str]) -> str:
    for name in ("jemalloc", "tcmalloc", "mimalloc"):
        if name in environment.get("LD_PRELOAD", ""):
            return name
    library = platform.libc_ver()[0]
    if library != "glibc":
        return "the system's allocator"
    return "glibc's allocator, keeping freed memory" if "MALLOC_TRIM_THRESHOLD_" in environment else "glibc's allocator"
