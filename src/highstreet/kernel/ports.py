"""A port: declared by a lower floor, filled by a higher one when the application is ready."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Port(Generic[T]):
    """One implementation at a time. Calling an empty port is a programming error, said by name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._filled: T | None = None

    def fill(self, implementation: T) -> None:
        self._filled = implementation

    @property
    def filled(self) -> bool:
        return self._filled is not None

    def __call__(self) -> T:
        if self._filled is None:
            raise RuntimeError(f"nothing fills the port {self.name}")
        return self._filled
