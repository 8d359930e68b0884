"""Ids: short text that sorts by time of creation."""

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u to misread.
_TIME_DIGITS = 9
_RANDOM_DIGITS = 7


def new_id(at: float) -> str:
    """Return 16 characters: ``at`` (Unix seconds, by the database's clock) in milliseconds, then 35 random bits."""
    return _base32(int(at * 1000), _TIME_DIGITS) + _base32(secrets.randbits(5 * _RANDOM_DIGITS), _RANDOM_DIGITS)


def _base32(number: int, digits: int) -> str:
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(digits)))
