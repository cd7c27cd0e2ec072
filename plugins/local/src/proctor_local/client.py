"""The sampling client: tinker's surface over the engine."""

from __future__ import annotations

import asyncio
import itertools
import uuid
import weakref
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import numpy as np
import tinker
from tinker.types.topk_logprobs import MASK_LOGPROB, TopkLogprobs

from proctor import BackendError
from proctor_local.batch_rows import Choice, Request, Row
from proctor_local.engine import Engine
from proctor_local.prefill import PromptScores
from proctor_local.stopping import StopStrings

ResultT = TypeVar("ResultT")


class LocalFuture(tinker.APIFuture[ResultT]):
    """A result on its way: awaited from any event loop, or waited for with ``result``.

    Cancelling an await, or the future itself, takes the request out of the batch.
    """

    def __init__(self, future: Future[ResultT], client: LocalSamplingClient) -> None:
        self._future = future
        # A client that nobody holds is closed; whoever holds its answer still needs it.
        self._client = client

    def __await__(self) -> Generator[Any, None, ResultT]:
        return self.result_async().__await__()

    def result(self, timeout: float | None = None) -> ResultT:
        """Blocks until the result is there, for at most ``timeout`` seconds.

        Raises:
            TimeoutError: It took longer.
            BackendError: The request can't be answered.
        """
        return self._future.result(timeout)

    async def result_async(self, timeout: float | None = None) -> ResultT:
        """Awaits the result, for at most ``timeout`` seconds.

        Raises:
            TimeoutError: It took longer; the request is cancelled.
            BackendError: The request can't be answered.
        """
        async with asyncio.timeout(timeout):
            return await asyncio.wrap_future(self._future)

    def future(self) -> Future[ResultT]:
        """The standard library's future of this result."""
        return self._future


class LocalSamplingClient:
    """Samples a model on this machine, with the methods and types of ``tinker.SamplingClient``.

    Methods may be called from any thread and any event loop. Requests that wait at the same time
    share the model's passes; what a request gets depends on nothing but itself.

    Args:
        model: A transformers model for causal language modelling, in evaluation mode.
        tokenizer: Its tokenizer.
        context_length: Most tokens of prompt and answer together.
        end_tokens: Ids that end an answer on the model's own account.
        max_batch_size: Most answers that are continued at once.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        context_length: int,
        end_tokens: Iterable[int],
        max_batch_size: int,
    ) -> None:
        self._tokenizer = tokenizer
        self._context_length = context_length
        self._end_tokens = frozenset(end_tokens)
        self._vocabulary = int(model.get_input_embeddings().weight.shape[0])
        self._session = uuid.uuid4().hex[:12]
        self._counter = itertools.count()
        self._engine = Engine(model, tokenizer, max_batch_size)
        self._closer = weakref.finalize(self, self._engine.close)

    def sample(
        self,
        prompt: tinker.ModelInput,
        num_samples: int,
        sampling_params: tinker.SamplingParams,
        include_prompt_logprobs: bool = False,
        topk_prompt_logprobs: int = 0,
    ) -> LocalFuture[tinker.SampleResponse]:
        """Samples answers to a prompt.

        ``stop=None`` ends an answer at the model's end tokens, ``stop=[]`` at nothing, and anything
        else at that or at an end token. The tokens of a stop stay in the answer, which ends with
        the token that completes it; a stop at exactly ``max_tokens`` is a stop. An answer that
        fills the context ends there with the reason ``length``.

        Log-probabilities are the model's own: the log-softmax of its logits, before temperature,
        ``top_k`` and ``top_p``.

        Args:
            prompt: Tokens only.
            num_samples: How many answers.
            sampling_params: With ``max_tokens=None``, the context is the limit. Equal seeds give
                equal answers; answers to one request differ.
            include_prompt_logprobs: Whether to score the prompt's own tokens too.
            topk_prompt_logprobs: How many of the likeliest tokens to name at each place of the
                prompt.

        Returns:
            An awaitable that also has ``result()``. It raises BackendError where the request can't
            be answered.
        """
        future: Future[tinker.SampleResponse] = Future()
        try:
            tokens = self._checked_prompt(prompt, room=1)
            choice, most = self._choice(sampling_params, len(tokens))
            if num_samples < 1:
                raise BackendError(f"num_samples must be at least 1, not {num_samples}")
            if topk_prompt_logprobs < 0:
                raise BackendError(f"topk_prompt_logprobs is {topk_prompt_logprobs}, below 0")
            scored = include_prompt_logprobs or topk_prompt_logprobs > 0
            request = Request(
                tokens,
                most,
                choice,
                future,
                lambda done: self._response(done, include_prompt_logprobs, topk_prompt_logprobs),
                min(topk_prompt_logprobs, self._vocabulary) if scored else None,
            )
            request.rows = [self._row(request, index) for index in range(num_samples)]
        except BackendError as error:
            future.set_exception(error)
        else:
            self._engine.submit(request)
        return LocalFuture(future, self)

    async def sample_async(
        self,
        prompt: tinker.ModelInput,
        num_samples: int,
        sampling_params: tinker.SamplingParams,
        include_prompt_logprobs: bool = False,
        topk_prompt_logprobs: int = 0,
    ) -> tinker.SampleResponse:
        """``sample``, as a coroutine."""
        return await self.sample(
            prompt, num_samples, sampling_params, include_prompt_logprobs, topk_prompt_logprobs
        )

    def compute_logprobs(self, prompt: tinker.ModelInput) -> LocalFuture[list[float | None]]:
        """The log-probability of each token given those before it; None for the first."""
        future: Future[list[float | None]] = Future()
        try:
            tokens = self._checked_prompt(prompt, room=0)
        except BackendError as error:
            future.set_exception(error)
        else:
            self._engine.submit(Request(tokens, 0, Choice(), future, _prompt_logprobs, 0))
        return LocalFuture(future, self)

    async def compute_logprobs_async(self, prompt: tinker.ModelInput) -> list[float | None]:
        """``compute_logprobs``, as a coroutine."""
        return await self.compute_logprobs(prompt)

    def get_tokenizer(self) -> Any:
        """The model's tokenizer, with transformers' interface."""
        return self._tokenizer

    def close(self) -> None:
        """Ends the engine's thread; requests without an answer fail."""
        self._closer()

    def _checked_prompt(self, prompt: tinker.ModelInput, room: int) -> list[int]:
        try:
            tokens = prompt.to_ints()
        except ValueError as error:
            raise BackendError(
                "the prompt holds more than tokens, and this model reads text only"
            ) from error
        if not tokens:
            raise BackendError("the prompt is empty")
        if len(tokens) + room > self._context_length:
            room_left = ", which leaves no room for an answer" if room else ""
            raise BackendError(
                f"the prompt has {len(tokens)} tokens, and the model's context "
                f"{self._context_length}{room_left}"
            )
        strange = [token for token in tokens if not 0 <= token < self._vocabulary]
        if strange:
            raise BackendError(
                f"the prompt holds token {strange[0]}, beyond the vocabulary's {self._vocabulary}"
            )
        return tokens

    def _choice(self, params: tinker.SamplingParams, prompt_length: int) -> tuple[Choice, int]:
        """How a request's rows choose tokens, and the most tokens of one."""
        room = self._context_length - prompt_length
        most = room if params.max_tokens is None else min(params.max_tokens, room)
        if most < 1:
            raise BackendError(f"max_tokens must be at least 1, not {params.max_tokens}")
        stop: Sequence[str | int] | None
        stop = [params.stop] if isinstance(params.stop, str) else params.stop
        ends = frozenset() if stop is not None and len(stop) == 0 else self._end_tokens
        stops = stop or ()
        choice = Choice(
            temperature=params.temperature,
            top_k=params.top_k,
            top_p=params.top_p,
            seed=params.seed,
            stop_tokens=ends | {item for item in stops if not isinstance(item, str)},
            stop_strings=tuple(item for item in stops if isinstance(item, str)),
        )
        choice.check()
        return choice, most

    def _row(self, request: Request, index: int) -> Row:
        texts = request.choice.stop_strings
        strings = StopStrings(self._engine.decoder, texts) if texts else None
        return Row(request, index, self._engine.device, strings)

    def _response(self, request: Request, with_logprobs: bool, top_k: int) -> tinker.SampleResponse:
        scores = request.scores
        return tinker.SampleResponse(
            sequences=[self._sequence(row) for row in request.rows],
            prompt_logprobs_np=_with_first(scores) if scores and with_logprobs else None,
            topk_prompt_logprobs_np=_likeliest(scores, top_k) if scores and top_k else None,
        )

    def _sequence(self, row: Row) -> tinker.SampledSequence:
        assert row.stop_reason is not None
        return tinker.SampledSequence(
            stop_reason=row.stop_reason,
            sequence_id=f"{self._session}-{next(self._counter)}",
            tokens_np=np.array(row.tokens, dtype=np.int32),
            logprobs_np=np.array(row.logprobs, dtype=np.float32),
        )


def _prompt_logprobs(request: Request) -> list[float | None]:
    assert request.scores is not None
    logprobs: list[float] = request.scores.logprobs.tolist()
    return [None, *logprobs]


def _with_first(scores: PromptScores) -> np.ndarray[Any, Any]:
    return np.concatenate([[np.nan], scores.logprobs.numpy()]).astype(np.float32)


def _likeliest(scores: PromptScores, top_k: int) -> TopkLogprobs:
    """The likeliest tokens at each place of the prompt; tinker's sentinel at the first."""
    tokens = scores.top_tokens[:, :top_k].numpy()
    logprobs = scores.top_logprobs[:, :top_k].numpy()
    none = np.zeros((1, tokens.shape[1]))
    return TopkLogprobs(
        token_ids=np.concatenate([none, tokens]).astype(np.int32),
        logprobs=np.concatenate([none + MASK_LOGPROB, logprobs]).astype(np.float32),
    )
