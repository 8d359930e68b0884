"""Errors as RFC 9457 problems: the one place where they become HTTP."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from backend.services.errors import InvalidRequestError, NotReadyError, ServiceError
from backend.storage.artifacts import ArtifactCorruptError
from backend.storage.store_marker import StoreMissingError
from tauscope.contracts.problems import FieldError, Problem
from tauscope.specs import SpecError

MEDIA_TYPE = "application/problem+json"
_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}

log = structlog.get_logger()


def install(app: FastAPI) -> None:
    """Map every error that a route can raise."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(SpecError, _spec_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(OperationalError, _database_away)
    app.add_exception_handler(ArtifactCorruptError, _artifact_damaged)
    app.add_exception_handler(StoreMissingError, _store_missing)
    app.add_exception_handler(Exception, _crash)


def describe(app: FastAPI) -> None:
    """Let the OpenAPI document say that problems come under their own media type."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        for operation in (operation for item in document["paths"].values() for operation in item.values()):
            refusal = operation["responses"].get("4XX", {})
            # FastAPI files the model under the media type of the route's own answer.
            refusal["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def service_problem(error: ServiceError) -> Response:
    """The response to a refused request."""
    problem = _problem(error.status, error.code, error.title, error.detail, error.remedy, error.errors)
    return _respond(problem, {"WWW-Authenticate": "Bearer"} if error.status == 401 else {})


def _problem(status: int, code: str, title: str, detail: str, remedy: str = "", errors: Sequence[FieldError] = ()) -> Problem:
    return Problem(
        type=f"urn:tauscope:problem:{code}", title=title, status=status, code=code, detail=detail, remedy=remedy, errors=tuple(errors)
    )


def _respond(problem: Problem, headers: Mapping[str, str]) -> Response:
    # Escaped to ASCII: what is echoed from a request need not be encodable.
    body = json.dumps(problem.model_dump()).encode()
    return Response(body, problem.status, {**headers, "Cache-Control": "no-store"}, MEDIA_TYPE)


async def _service_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    return service_problem(error)


async def _spec_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, SpecError)
    errors = [FieldError(path=problem.path, message=problem.message, remedy=problem.remedy) for problem in error.problems]
    fields = ", ".join(problem.path for problem in error.problems)
    return _respond(_problem(422, "invalid_spec", "The spec cannot be run", f"At fault: {fields}", "Mend the fields listed", errors), {})


async def _validation_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [_field_error(item["loc"], item["msg"]) for item in error.errors()]
    if any(field.path.startswith("path.") for field in errors):
        return _respond(_problem(404, "not_found", "Not found", "Nothing can have this address"), {})
    problem = InvalidRequestError("At fault: " + ", ".join(field.path for field in errors), "Mend the fields listed", errors)
    return service_problem(problem)


def _field_error(location: Sequence[object], message: str) -> FieldError:
    message, _, remedy = message.removeprefix("Value error, ").partition(" | ")
    return FieldError(path=".".join(map(str, location)), message=message, remedy=remedy or "See the schema at /api/v1/openapi.json")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = f"{request.method} {request.url.path}: {error.detail}"
    remedy = "The addresses are listed at /api/v1/openapi.json" if status in (404, 405) else ""
    problem = _problem(status, _CODES.get(status, f"http_{int(status)}"), status.phrase, detail, remedy)
    return _respond(problem, error.headers or {})


async def _database_away(request: Request, error: Exception) -> Response:
    log.warning("database_away", method=request.method, path=request.url.path, error=str(error))
    return service_problem(NotReadyError("The database cannot be reached", "Try again; /api/v1/ready tells when it is back"))


async def _artifact_damaged(request: Request, error: Exception) -> Response:
    log.error("artifact_damaged", method=request.method, path=request.url.path, error=str(error))
    remedy = "Restore it from a backup, or launch the run again"
    return _respond(_problem(500, "artifact_damaged", "A stored file is damaged or gone", str(error), remedy), {})


async def _store_missing(request: Request, error: Exception) -> Response:
    log.error("store_missing", method=request.method, path=request.url.path, error=str(error))
    return service_problem(NotReadyError(str(error), "Then try again"))


async def _crash(request: Request, error: Exception) -> Response:
    log.error("request_failed", method=request.method, path=request.url.path, exc_info=error)
    return _respond(_problem(500, "internal_error", "The service failed", "The cause stands in the server's log", "Report it"), {})
