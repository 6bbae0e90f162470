"""Structured logs with request and order ids."""

from __future__ import annotations

import logging
import sys

import structlog

from . import masking


def configure_logging(level: str) -> None:
    """JSON lines on stderr, with whatever `structlog.contextvars` has bound (request, order, actor)."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            masking.masked_event,
            structlog.processors.JSONRenderer(ensure_ascii=False),
            masking.masked_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
