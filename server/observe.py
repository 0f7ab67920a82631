"""Logs: one line an event, JSON for machines, colours on a terminal; secrets never go in."""

from __future__ import annotations

import logging
import sys

import structlog


def configure(*, is_terminal: bool | None = None, level: int = logging.INFO) -> None:
    """Set up logging for the process."""
    on_terminal = sys.stderr.isatty() if is_terminal is None else is_terminal
    renderer = (
        structlog.dev.ConsoleRenderer() if on_terminal else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
