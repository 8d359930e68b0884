"""A settled process looks at its start no more, and still finds what it makes and loses later."""

import subprocess
import sys

_SCRIPT = """
import gc, weakref
from tauscope.heap import settle

class Node:
    pass

before = Node()
before.itself = before
settle()
known, later = weakref.ref(before), Node()
later.itself = later
seen = weakref.ref(later)
frozen = gc.get_freeze_count()
del before, later
gc.collect()
print(frozen > 1000, known() is not None, seen() is None)
"""


def test_what_was_there_is_left_alone_and_later_cycles_are_collected() -> None:
    told = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["True", "True", "True"]
