"""Addresses of Tinker servers, and whether anything is there."""

from __future__ import annotations

import urllib.error
import urllib.request
from urllib.parse import urlsplit, urlunsplit


class NotThere(Exception):
    """Nothing answers at an address."""


def touch(url: str, seconds: float) -> None:
    """Returns if anything answers at an address, whatever it says.

    The SDK can't be asked: it tells a server that is down from one that is slow after minutes.

    Raises:
        NotThere: Nothing does.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    try:
        with urllib.request.urlopen(  # noqa: S310 (without_credentials lets only http(s) pass)
            f"{url.rstrip('/')}/api/v1/healthz", timeout=seconds
        ):
            return
    except urllib.error.HTTPError:
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise NotThere(str(reason)) from None
