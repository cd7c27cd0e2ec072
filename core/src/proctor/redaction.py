"""Secrets, kept out of everything that is printed or written."""

from __future__ import annotations

import base64
import json
import os
import re
from urllib.parse import quote, urlsplit, urlunsplit

from proctor.errors import ConfigError

SHORTEST = 8
"""Characters of the shortest secret: a shorter one could be any word of an answer."""

_OF_ENVIRONMENT = re.compile(r"(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD)$", re.IGNORECASE)
"""Names of environment variables that hold secrets, whoever reads them."""

_LAYERS = 3
"""How often a text may be quoted within another one: an error in a record in a printed row."""

_shown_as: dict[str, str] = {}
"""Every form of every secret, and what stands in its place."""

_pattern: re.Pattern[str] | None = None


def keep_secret(value: str, name: str) -> None:
    """Has a secret left out of all that Proctor prints and writes from now on.

    Args:
        value: The secret. With spaces or a line break around it, what is between them is one, too.
        name: What stands in its place, such as the variable that it came from.
    """
    global _pattern
    forms = {form for form in _forms(value) if len(form) >= SHORTEST}
    if forms <= _shown_as.keys():
        return
    _shown_as.update(dict.fromkeys(forms, f"({name})"))
    # of a secret within another one, the longer is found first
    longest_first = sorted(_shown_as, key=len, reverse=True)
    _pattern = re.compile("|".join(map(re.escape, longest_first)))


def _forms(value: str) -> set[str]:
    """A secret as JSON, Python and a URL spell it, also one within another."""
    spelled = {value, value.strip()}
    for _ in range(_LAYERS):
        for form in list(spelled):
            spelled |= {json.dumps(form)[1:-1], json.dumps(form, ensure_ascii=False)[1:-1]}
            spelled |= {repr(form)[1:-1], quote(form, safe="")}
    return spelled


def keep_secrets_of_environment() -> None:
    """Has the secrets of the environment left out: keys of servers, hubs and trackers.

    A value without a digit, such as ``disabled``, is a word that answers may hold, and a path is
    where a secret is, and not the secret.
    """
    for name, value in os.environ.items():
        has_digit = any(character.isdigit() for character in value)
        if has_digit and _OF_ENVIRONMENT.search(name) and not os.path.exists(value):
            keep_secret(value, name)


def _keep_credentials(url: str) -> None:
    """Has the password and the query of a URL left out."""
    parts = urlsplit(url)
    for value in parts.query.split("&"):
        keep_secret(value.partition("=")[2], "the URL's query")
    if parts.password is None:
        return
    user = parts.username or ""
    pair = f"{user}:{parts.password}"
    for secret in (parts.password, pair, f"{pair}@", base64.b64encode(pair.encode()).decode()):
        keep_secret(secret, "the URL's password")


def redacted(text: str) -> str:
    """A text without the secrets that are known."""
    if _pattern is None:
        return text
    return _pattern.sub(lambda found: _shown_as[found[0]], text)


def without_credentials(url: str) -> str:
    """An address with no user, password or query, as it may be printed and stored.

    What it held of them is left out of everything else from now on.

    Raises:
        ConfigError: It is no address.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigError(
            "it is no address of a server", where="base_url", fix="write it as https://HOST/PATH"
        )
    _keep_credentials(url)
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))
