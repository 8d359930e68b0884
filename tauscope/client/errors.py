"""What can go wrong between a program and the service.

ApiError            the service refused; ``problem`` says what and what to do
+-- ApiUnreachable  nothing answered
"""

import httpx
from pydantic import ValidationError

from tauscope.contracts.problems import Problem


class ApiError(Exception):
    """The service refused a request."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.detail}. {problem.remedy}".removesuffix(". "))
        self.problem = problem


class ApiUnreachable(ApiError):  # noqa: N818 - the name under which pages and commands know it
    """Nothing answered at the service's address, or not in time."""

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(
            Problem(
                type="urn:tauscope:problem:unreachable",
                title="The service does not answer",
                status=503,
                code="unreachable",
                detail=f"Nothing answers at {url} ({cause})",
                remedy="Start it with `tauscope up`, or name its address",
            )
        )


def raise_for_problem(response: httpx.Response) -> None:
    """Pass a success, which has been read or not, and a 304, which only a conditional request gets; raise anything else.

    Raises:
        ApiError: with the problem the service sent, or one made from what came instead.
    """
    if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
        return
    body = response.read()
    try:
        problem = Problem.model_validate_json(body)
    except ValidationError:
        problem = _foreign(response)
    raise ApiError(problem)


def _foreign(response: httpx.Response) -> Problem:
    return Problem(
        type="about:blank",
        title=response.reason_phrase,
        status=response.status_code,
        code=f"http_{response.status_code}",
        detail=f"{response.request.url} answered {response.status_code} {response.reason_phrase}, which is no answer of this service",
        remedy="Check the address",
    )
