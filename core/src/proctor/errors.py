"""Errors that tell a person what happened, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class ProctorError(Exception):
    """Base of every error that Proctor raises on purpose.

    It prints as one line: ``where: what; fix``. The command line shows that line and no traceback.

    Args:
        what: What happened, in one clause.
        where: The place: a file and line, a config key, a component's name.
        fix: What the reader can do about it.
    """

    exit_code: ClassVar[int] = 2
    """What the command line exits with: 2, as what was asked for can't be done."""

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"; {self.fix}" if self.fix else ""
        return " ".join(f"{place}{self.what}{remedy}".split())


class ConfigError(ProctorError, ValueError):
    """A config, an option or a command-line argument is wrong."""


class UnknownComponentError(ProctorError, LookupError):
    """A component's name is not registered by any working plugin."""


class PluginError(ProctorError, RuntimeError):
    """A plugin could not be loaded, or broke a rule while it registered."""


class DatasetError(ProctorError, ValueError):
    """A dataset, or one of its rows, can't be used."""


class TokenizerError(ProctorError, OSError):
    """A tokenizer could not be loaded."""


class RendererError(ProctorError, ValueError):
    """A renderer has no format for what it was asked to render."""


class BackendError(ProctorError, RuntimeError):
    """A backend could not open, or identify, its model."""


class TransientError(ProctorError, ConnectionError):
    """An infrastructure failure that may succeed when it is tried again."""


class UngradedError(ProctorError, ValueError):
    """A grader gives no grade: the outcome is ``ungraded``, and what it learnt is kept.

    Args:
        what: Why, in one clause.
        metadata: For the grade's record, such as a judge's unreadable verdict.
    """

    def __init__(self, what: str, *, metadata: Mapping[str, object] | None = None) -> None:
        super().__init__(what)
        self.metadata = dict(metadata or {})


class RunError(ProctorError, RuntimeError):
    """A run that had begun could not go on."""

    exit_code = 1


def first_cause(error: BaseException) -> BaseException:
    """The error that ended a task group: one error, not a tree of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def is_transient_status(status: int) -> bool:
    """Whether HTTP's status says that the same request may succeed later."""
    return status in (408, 409, 425, 429) or status >= 500


def is_infrastructure_error(error: BaseException) -> bool:
    """Whether an error comes from the way to the model, so that trying again may help."""
    if isinstance(error, (TransientError, ConnectionError)):
        return True
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return is_transient_status(status)
    return type(error).__name__ in (
        "APIConnectionError",
        "ConnectError",
        "ReadError",
        "RemoteProtocolError",
        "ServerDisconnectedError",
    )


def reason_of(error: BaseException) -> str:
    """Why something failed, in one line: the first cause, where a task group holds several."""
    error = first_cause(error)
    return _message(error) if isinstance(error, ProctorError) else one_line(error)


def one_line(error: BaseException) -> str:
    """An exception's kind and message in one line."""
    text = " ".join(_message(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except (Exception, SystemExit):  # somebody else's exception, whose text is code as well
        return "(its message can't be read)"
