"""How a server spends less of its time in Python's garbage collector."""

import gc

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 50


def settle() -> None:
    """Leave what a process holds once it has started out of every later collection, and collect more seldom.

    A full collection walks through the objects of all imported modules, and an answer about 1,000 runs makes objects enough for several:
    they took more than half of the time of a list of experiments. What is made later, and forms a cycle, is found as before.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
