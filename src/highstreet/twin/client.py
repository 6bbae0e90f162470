"""One person's connection to the platform: the public API, with keys, and patience when it is busy."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx

from highstreet.kernel import clock

TRIES = 6


class Refusal(Exception):
    """The platform said no: `code` is the problem's type."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(f"{status} {code}: {title}")
        self.status = status
        self.code = code


async def pause(business_seconds: float) -> None:
    """Wait in business time."""
    await asyncio.sleep(max(0.0, clock.real_seconds(business_seconds)))


class Person:
    """Calls /api/v1. Every mutation has one key, kept over its retries."""

    def __init__(self, http: httpx.AsyncClient, token: str = "", language: str = "zh-hans") -> None:
        self.http = http
        self.headers = {"Accept-Language": "en" if language == "en" else "zh-CN", "X-Forwarded-For": _home()}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    async def sign_in(self, username: str, password: str) -> None:
        answer = await self.post("/sessions", {"username": username, "password": password})
        self.headers["Authorization"] = f"Bearer {answer['token']}"

    async def get(self, path: str, /, **query: Any) -> Any:
        return await self._call("GET", path, params=query)

    async def post(self, path: str, body: Any = None, /, **query: Any) -> Any:
        return await self._call("POST", path, json=body, params=query)

    async def put(self, path: str, body: Any = None) -> Any:
        return await self._call("PUT", path, json=body)

    async def delete(self, path: str) -> Any:
        return await self._call("DELETE", path)

    async def _call(self, method: str, path: str, **rest: Any) -> Any:
        headers = dict(self.headers)
        if method != "GET":
            headers["Idempotency-Key"] = uuid4().hex
        for attempt in range(TRIES):
            try:
                answer = await self.http.request(method, f"/api/v1{path}", headers=headers, **rest)
            except httpx.TransportError:
                if attempt == TRIES - 1:
                    raise
            else:
                if answer.status_code < 300:
                    return answer.json() if answer.content else None
                if answer.status_code < 500:
                    raise _refusal(answer)
                if attempt == TRIES - 1:
                    raise _refusal(answer)
            await asyncio.sleep(0.2 * 2**attempt)
        raise AssertionError("unreachable")


def _home() -> str:
    """An address of one's own: limits count guests by it."""
    return ".".join(["10", *(str(byte) for byte in uuid4().bytes[:3])])


def _refusal(answer: httpx.Response) -> Refusal:
    try:
        body = answer.json()
        return Refusal(answer.status_code, str(body.get("type", "")), str(body.get("title", "")))
    except ValueError:
        return Refusal(answer.status_code, "", answer.text[:200])
