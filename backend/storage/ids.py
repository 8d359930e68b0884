"""Ids: short text that sorts by time of creation, within a millisecond too where one process made them."""

import secrets
import threading

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u to misread.
_TIME_DIGITS = 9
_RANDOM_DIGITS = 7


class _Tails:
    """What follows the time: random for the first id of a millisecond, one more for each further one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._millisecond, self._tail = -1, 0

    def next(self, millisecond: int) -> int:
        with self._lock:
            again = millisecond == self._millisecond
            # The highest bit stays free, so that counting on never overflows.
            self._tail = self._tail + 1 if again else secrets.randbits(5 * _RANDOM_DIGITS - 1)
            self._millisecond = millisecond
            return self._tail


_tails = _Tails()


def new_id(at: float) -> str:
    """Return 16 characters: ``at`` (Unix seconds, by the database's clock) in milliseconds, then 35 bits, random for the first of it."""
    millisecond = int(at * 1000)
    return _base32(millisecond, _TIME_DIGITS) + _base32(_tails.next(millisecond), _RANDOM_DIGITS)


def _base32(number: int, digits: int) -> str:
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(digits)))
