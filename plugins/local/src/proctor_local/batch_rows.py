"""The rows of a batch, and the requests that they answer: what was asked and what came of it."""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from proctor import BackendError
from proctor_local.prefill import PromptScores
from proctor_local.stopping import StopStrings


@dataclass(frozen=True, slots=True)
class Choice:
    """How the rows of a request choose their tokens.

    Attributes:
        temperature: 0 takes the likeliest token.
        top_k: Below 1 for all tokens.
        top_p: 1 for all tokens.
        seed: None for answers that nobody can repeat.
        stop_tokens: Ids that end an answer.
        stop_strings: Texts that end an answer.
    """

    temperature: float = 0.0
    top_k: int = -1
    top_p: float = 1.0
    seed: int | None = None
    stop_tokens: frozenset[int] = frozenset()
    stop_strings: tuple[str, ...] = ()

    def check(self) -> None:
        """Refuses what has no meaning.

        Raises:
            BackendError: A value is outside its range.
        """
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise BackendError(f"temperature must be 0 or more, not {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise BackendError(f"top_p must be above 0 and at most 1, not {self.top_p}")
        if "" in self.stop_strings:
            raise BackendError("an empty stop string would end every answer at once")


class Row:
    """One answer on its way.

    A row's noise comes from its own generator, seeded by the request's seed and the row's index, so
    that it does not depend on what else is in the batch.

    Args:
        request: The request that it answers.
        index: Which of its answers it is.
        device: Where tokens are chosen.
        strings: The search for its stop strings, if it has any.
    """

    def __init__(
        self, request: Request, index: int, device: torch.device, strings: StopStrings | None
    ) -> None:
        self.request = request
        self.tokens: list[int] = []
        self.logprobs: list[float] = []
        self.stop_reason: Literal["stop", "length"] | None = None
        self.generator = torch.Generator(device).manual_seed(_row_seed(request.choice.seed, index))
        self._strings = strings

    @property
    def so_far(self) -> list[int]:
        """The prompt and the answer up to here."""
        return self.request.prompt + self.tokens

    def append(self, token: int, logprob: float) -> None:
        """Adds a token. A stop at exactly the last token that is allowed is a stop."""
        self.tokens.append(token)
        self.logprobs.append(logprob)
        if token in self.request.choice.stop_tokens or (
            self._strings is not None and self._strings.push(token)
        ):
            self.stop_reason = "stop"
        elif len(self.tokens) >= self.request.max_tokens:
            self.stop_reason = "length"


def _row_seed(seed: int | None, index: int) -> int:
    """A seed that tells rows and requests apart; without one, something unrepeatable."""
    if seed is None:
        return secrets.randbits(63)
    digest = hashlib.sha256(f"{seed}/{index}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


@dataclass(eq=False, slots=True)
class Request:
    """One request: answers to a prompt, the scores of the prompt's own tokens, or both.

    Attributes:
        prompt: Token ids.
        max_tokens: Most tokens of one answer.
        choice: How tokens are chosen.
        future: Where the result goes.
        build: Makes the result once everything is there.
        scores_top_k: How many of the likeliest tokens to name at each place of the prompt; None
            where the prompt's tokens are not scored.
        rows: The answers.
        scores: The scores of the prompt.
    """

    prompt: list[int]
    max_tokens: int
    choice: Choice
    future: Future[Any]
    build: Callable[[Request], Any]
    scores_top_k: int | None = None
    rows: Sequence[Row] = ()
    scores: PromptScores | None = field(default=None, repr=False)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to compute."""
        scored = self.scores_top_k is None or self.scores is not None
        return scored and all(row.stop_reason is not None for row in self.rows)

    @property
    def is_over(self) -> bool:
        """Whether nobody waits any more: it was answered, failed or cancelled."""
        return self.future.done()

    def finish(self) -> None:
        """Hands over the result."""
        try:
            result = self.build(self)
        except Exception as error:
            self.fail(error)
            return
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(result)

    def fail(self, error: BaseException) -> None:
        """Hands over an error in place of a result."""
        if not self.future.done() and self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)
