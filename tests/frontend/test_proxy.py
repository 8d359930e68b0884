"""One origin: the proxy in front of the API, and the login page."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.applications import Starlette
from starlette.routing import Route

from frontend.connection import set_api_url
from frontend.login import show_login, take_login
from frontend.proxy import METHODS, ApiProxy
from tests.frontend.serving import served


def upstream() -> FastAPI:
    app = FastAPI()

    @app.api_route("/api/v1/echo", methods=["GET", "POST"])
    async def echo(request: Request) -> JSONResponse:
        seen = {"headers": dict(request.headers), "body": (await request.body()).decode(), "query": request.url.query}
        response = JSONResponse(seen, headers={"x-answer": "yes", "connection": "x-private", "x-private": "no"})
        response.set_cookie("one", "1")
        response.set_cookie("two", "2")
        return response

    @app.put("/api/v1/size")
    async def size(request: Request) -> JSONResponse:
        blocks = [len(block) async for block in request.stream() if block]
        return JSONResponse({"bytes": sum(blocks), "length": request.headers.get("content-length")})

    @app.get("/api/v1/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(ticks(), media_type="text/event-stream")

    @app.post("/api/v1/session")
    async def session(request: Request) -> Response:
        if (await request.json())["token"] != "right":
            return Response(status_code=401)
        response = Response(status_code=204)
        response.set_cookie("tauscope_token", "right", httponly=True, samesite="strict")
        return response

    return app


async def ticks() -> AsyncIterator[bytes]:
    for number in range(100):
        yield f"id: {number}\ndata: tick\n\n".encode()
        await asyncio.sleep(0.3)


def front() -> Starlette:
    proxy = ApiProxy()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await proxy.close()

    routes: list[Any] = [
        Route("/api/{path:path}", proxy.__call__, methods=list(METHODS)),
        Route("/login", show_login, methods=["GET"]),
        Route("/login", take_login, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


@pytest.fixture(scope="module")
def addresses() -> Iterator[tuple[str, str]]:
    with served(upstream()) as api, served(front()) as own:
        yield api, own


@pytest.fixture
def address(addresses: tuple[str, str]) -> str:
    set_api_url(addresses[0])
    return addresses[1]


def test_body_query_and_cookies_pass_through(address: str) -> None:
    answer = httpx.post(f"{address}/api/v1/echo?a=1&b=%2F", content="hello", headers={"cookie": "tauscope_token=t"})
    seen = answer.json()
    assert seen["body"] == "hello"
    assert seen["query"] == "a=1&b=%2F"
    assert seen["headers"]["cookie"] == "tauscope_token=t"
    assert answer.headers.get_list("set-cookie") == ["one=1; Path=/; SameSite=lax", "two=2; Path=/; SameSite=lax"]


def test_host_and_origin_reach_the_api_as_the_browser_sent_them(address: str) -> None:
    headers = httpx.get(f"{address}/api/v1/echo", headers={"origin": address}).json()["headers"]
    assert f"http://{headers['host']}" == headers["origin"] == address


def test_headers_of_one_connection_are_not_passed_on(address: str) -> None:
    answer = httpx.get(f"{address}/api/v1/echo", headers={"connection": "x-hop", "x-hop": "1", "te": "trailers"})
    assert not {"x-hop", "te"} & set(answer.json()["headers"])
    assert "x-private" not in answer.headers
    assert answer.headers["x-answer"] == "yes"


def test_events_arrive_one_by_one_and_not_at_the_end(address: str) -> None:
    with httpx.stream("GET", f"{address}/api/v1/events", timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        first = next(answer.iter_raw())
    assert first == b"id: 0\ndata: tick\n\n"


def test_while_the_api_is_away_the_answer_is_a_problem_with_a_remedy(address: str) -> None:
    set_api_url("http://127.0.0.1:9")
    answer = httpx.get(f"{address}/api/v1/experiments")
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"
    assert "make up" in answer.json()["remedy"]


def test_the_right_token_becomes_a_cookie_that_scripts_cannot_read(address: str) -> None:
    answer = httpx.post(f"{address}/login", data={"token": "right"})
    assert answer.status_code == 303
    assert "HttpOnly" in answer.headers["set-cookie"]


def test_a_wrong_token_is_refused_in_words(address: str) -> None:
    answer = httpx.post(f"{address}/login", data={"token": "wrong"})
    assert answer.status_code == 401
    assert "refused this token" in answer.text
    assert "set-cookie" not in answer.headers


def test_an_archive_goes_on_as_it_comes_and_whole(address: str) -> None:
    content = bytes(range(256)) * 12_000
    answer = httpx.put(f"{address}/api/v1/size", content=content).json()
    assert answer == {"bytes": len(content), "length": None}, "nobody has waited to count it"
