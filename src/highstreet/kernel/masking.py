"""What no log may hold: passwords, tokens, keys, cookies, card numbers. Masked where a line is written.

Fields are masked by their names, texts by what they look like, so that an exception's message, a path or a library's
line is covered too. A mask may take too much (a digest is masked as a token is); it must not take too little.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

MASK = "***"
SECRET = (
    r"pass(?:word|wd|code)?\d?|secret\w*|token|authorization|cookie|csrf\w*|api_?key|private_?key|session\w*|signature"
    r"|credential\w*|otp|openid|proof|idempotency-key|x-cart-key|cart_?key|cvv|cvc|card(?:_?number)?|key"
)
_NAME = re.compile(rf"(?:\w+[_.-])?(?:{SECRET})", re.IGNORECASE)
_NAMED = re.compile(
    rf"""(?P<name>\b(?:\w+[_.-])?(?:{SECRET})["'\\)]*\s*[=:]\s*)(?P<mark>["'\\(]*)(?P<value>(?:Bearer\s+)?[^\s"'\\&;,)}}]+)""",
    re.IGNORECASE,
)
_SHAPES = re.compile(
    r"""
    -----BEGIN[ ][A-Z ]+-----.*?(?:-----END[ ][A-Z ]+-----|\Z)   # keys and certificates
    | \bBearer\s+[^\s"'\\]+
    | \b(?:hs_live_|whsec_)[\w+/=-]+                              # ours: API keys, webhooks' secrets
    | \beyJ[\w-]+\.[\w-]+\.[\w-]*                                 # JSON web tokens
    | (?<![\w-])(?=[\w-]*\d)[0-9A-Za-z_-]{32,}(?::[\w-]+)*        # tokens, order and cart keys, signed cookies
    """,
    re.VERBOSE | re.DOTALL,
)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_DIGITS = re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w.])")


def text(line: str) -> str:
    """A line without its secrets."""
    line = _NAMED.sub(lambda found: f"{found['name']}{found['mark']}{MASK}", line)
    line = _SHAPES.sub(lambda found: found[0] if _UUID.fullmatch(found[0]) else MASK, line)
    return _DIGITS.sub(lambda found: MASK if _is_card(found[0]) else found[0], line)


def _is_card(digits: str) -> bool:
    """By the check digit (ISO/IEC 7812-1, annex B), so that times and amounts stay."""
    total = 0
    for place, digit in enumerate(int(char) for char in reversed(digits) if char.isdigit()):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def fields(value: Any) -> Any:
    """The same value with every field of a secret name masked, at any depth."""
    if isinstance(value, Mapping):
        return {key: MASK if _NAME.fullmatch(str(key)) and item else fields(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [fields(item) for item in value]
    return value


def masked_event(logger: Any, method: str, event: Any) -> Any:
    """For structlog, before the renderer."""
    return fields(event)


def masked_line(logger: Any, method: str, line: Any) -> str:
    """For structlog, after the renderer."""
    return text(line)


class MaskedFormatter(logging.Formatter):
    """For the loggers of libraries: the whole record, its traceback and its stack."""

    def format(self, record: logging.LogRecord) -> str:
        return text(super().format(record))
