"""How long a server asks to be left alone, in the three forms that servers say it in."""

from __future__ import annotations

import datetime
import email.utils
import math
from collections.abc import Mapping

LONGEST = 60.0
"""Seconds that are waited at most, whatever a server asks for."""


def retry_after(error: BaseException) -> float | None:
    """Seconds until a request is worth sending again, as the server says; None where it does not.

    Args:
        error: What an HTTP client raised: its ``response`` has the headers ``retry-after-ms``, or
            ``retry-after`` in seconds or as a date.
    """
    headers = getattr(getattr(error, "response", None), "headers", None)
    if not isinstance(headers, Mapping):
        return None
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _bounded(milliseconds / 1000)
    asked = headers.get("retry-after")
    seconds = _number(asked)
    if seconds is None and asked:
        seconds = _until(str(asked))
    return None if seconds is None else _bounded(seconds)


def _number(text: object) -> float | None:
    try:
        value = float(str(text))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _until(date: str) -> float | None:
    try:
        then = email.utils.parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=datetime.UTC)
    return (then - datetime.datetime.now(datetime.UTC)).total_seconds()


def _bounded(seconds: float) -> float:
    return min(LONGEST, max(0.0, seconds))
