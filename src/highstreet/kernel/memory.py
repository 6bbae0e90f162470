"""What a page asks for more than once is asked of the database once; only while a GET is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_page: ContextVar[dict[Any, Any] | None] = ContextVar("answers of the page that is made", default=None)


@contextmanager
def page() -> Iterator[None]:
    """Answers of `once_a_page` functions are kept until the end."""
    before = _page.set({})
    try:
        yield
    finally:
        _page.reset(before)


def once_a_page(key: Callable[P, object]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Within `page`, calls of the same `key` get the first one's answer; elsewhere every call asks."""

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def ask(*args: P.args, **kwargs: P.kwargs) -> R:
            kept = _page.get()
            if kept is None:
                return function(*args, **kwargs)
            place = function, key(*args, **kwargs)
            if place not in kept:
                kept[place] = function(*args, **kwargs)
            answer: R = kept[place]
            return answer

        return ask

    return wrap
