"""What is wrong with a request, as RFC 9457 lays it out."""

from tauscope.contracts.model import Contract


class FieldError(Contract):
    """One field at fault in a request."""

    path: str
    message: str
    remedy: str


class Problem(Contract):
    """An error (RFC 9457, application/problem+json)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    remedy: str = ""
    errors: tuple[FieldError, ...] = ()
