"""Snapshots of the weights in training: taken once a step, and known by their session."""

from __future__ import annotations

import inspect
from typing import Any, NoReturn, TypeAlias

from proctor.errors import BackendError
from proctor.renderers.tokenizers import Tokenizer
from proctor.sampling.identities import identity_of, tokenizer_of
from proctor.sampling.models import OpenedModel, TrainingClient
from proctor.waiting import Overdue, in_daemon_thread, within

Submitted: TypeAlias = Any  # a sampling client, or what a person awaits for one, as tinker's future

SNAPSHOT_SECONDS = 900.0
"""How long saving the weights and loading the tokenizer may take."""


async def submit_snapshot(training_client: TrainingClient) -> Submitted:
    """Asks for a sampling client of the weights as they are now.

    Returns:
        A sampling client or, from a client of tinker's, the future of one: the service saves the
        weights in the order of its requests, so training may go on before the future is done.
        Awaiting what a client refused raises its error.

    Raises:
        BackendError: The client does not train.
    """
    if not hasattr(training_client, "save_weights_and_get_sampling_client"):
        raise BackendError(
            f"{type(training_client).__name__} is no training client",
            fix="give a sampling client as sampling_client=",
        )
    try:
        submitted = training_client.save_weights_and_get_sampling_client()
    except Exception as error:
        return _refused(error)
    return await settled(submitted)


async def settled(submitted: Submitted) -> Submitted:
    """What can be awaited in this event loop only, awaited; a future of tinker's is left as it is.

    Args:
        submitted: A sampling client, or an awaitable of one.
    """
    if not inspect.isawaitable(submitted) or type(submitted).__module__.startswith("tinker"):
        return submitted
    try:
        return await submitted
    except Exception as error:
        return _refused(error)


async def _refused(error: Exception) -> NoReturn:
    raise error


class SnapshotOpener:
    """Makes snapshots of submitted sampling clients; the tokenizer is loaded once.

    Args:
        tokenizer: The model's tokenizer; None for the one that the client names.
    """

    def __init__(self, tokenizer: Tokenizer = None) -> None:
        self._tokenizer = tokenizer

    async def open(self, submitted: Submitted) -> OpenedModel:
        """The snapshot behind a sampling client, or behind the future of one.

        Raises:
            BackendError: There is none within 15 minutes, or its tokenizer can't be loaded.
        """
        try:
            client = submitted
            if inspect.isawaitable(submitted):
                client = await within(submitted, SNAPSHOT_SECONDS)
            if self._tokenizer is None:
                loading = in_daemon_thread(lambda: tokenizer_of(client))
                self._tokenizer = await within(loading, SNAPSHOT_SECONDS)
        except Overdue:
            raise BackendError(
                f"there is no snapshot of the weights within {SNAPSHOT_SECONDS:.0f} s"
            ) from None
        return OpenedModel(client, identity_of(client, self._tokenizer), self._tokenizer)
