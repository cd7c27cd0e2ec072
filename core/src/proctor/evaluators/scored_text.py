"""How likely a text is as an answer: its tokens' log-probabilities, found in those of a prompt."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

from proctor.renderers.tokenizers import Tokenizer
from proctor.sampling.budget import RequestFailed

ROUNDING = 1e-3
"""How far above 0 rounding may leave the log-probability of a certain token."""


@dataclass(frozen=True, slots=True)
class ScoredText:
    """A text as an assistant's answer, with what the model makes of it.

    Attributes:
        text: The text.
        tokens: Its token ids as rendered, the end of the turn included.
        logprobs: The log-probability of each token, in nats.
        text_tokens: How many of the tokens come before the end of the turn.
        special: Which of those are special tokens of the vocabulary, that stand for no text.
    """

    text: str
    tokens: list[int]
    logprobs: list[float]
    text_tokens: int
    special: frozenset[int]

    @property
    def nll(self) -> float:
        """Negative log-likelihood of all its tokens, in nats."""
        return -math.fsum(self.logprobs)

    @property
    def text_nll(self) -> float:
        """Negative log-likelihood of the text alone, in nats."""
        pairs = zip(self.tokens[: self.text_tokens], self.logprobs, strict=False)
        return -math.fsum(value for token, value in pairs if token not in self.special)

    @property
    def text_characters(self) -> int:
        """Characters of the text: Unicode code points."""
        return len(self.text)

    @property
    def text_bytes(self) -> int:
        """Bytes of the text in UTF-8."""
        return len(self.text.encode("utf-8", "surrogatepass"))


def aligned_logprobs(given: object, prompt: int, answer: int) -> list[float]:
    """The log-probabilities of an answer's tokens, out of those of prompt and answer.

    tinker's ``compute_logprobs`` gives one value a token, None for the first; SkyRL's server leaves
    the first out.

    Args:
        given: What the client gave.
        prompt: How many tokens the prompt has; at least one.
        answer: How many the answer has.

    Returns:
        A value for each; minus infinity where the model rules a token out.

    Raises:
        RequestFailed: There are neither so many values nor one fewer, or one is none.
    """
    values = list(given) if isinstance(given, Sequence) else []
    if len(values) not in (prompt + answer, prompt + answer - 1) or prompt < 1:
        raise RequestFailed(
            f"the client gave {len(values)} log-probabilities for {prompt + answer} tokens"
        )
    found = values[len(values) - answer :]
    for value in found:
        is_number = isinstance(value, (int, float)) and not math.isnan(value)
        if not is_number or value > ROUNDING:
            raise RequestFailed(f"the client gave {value!r} for a log-probability")
    return [float(value) for value in found]


def text_length(text: str, tokens: Sequence[int], tokenizer: Tokenizer) -> int:
    """How many of an answer's tokens it takes to hold its text: the others end the turn.

    Raises:
        RequestFailed: The answer as rendered does not hold the text.
    """
    whole = str(tokenizer.decode(list(tokens)))
    # some formats take off the white space around a text
    wanted = text if text in whole else text.strip()

    def holds(count: int) -> bool:
        return wanted in str(tokenizer.decode(list(tokens[:count])))

    if wanted not in whole:
        raise RequestFailed("the target's text is not in what the renderer made of it")
    return bisect.bisect_left(range(len(tokens)), True, key=holds)
