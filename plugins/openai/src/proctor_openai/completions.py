"""A sampling client over ``/v1/completions``, for servers that take and give token ids."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from proctor import BackendError, TransientError, as_seed, hash64
from proctor.renderers import Prompt
from proctor_openai.connection import PREFLIGHT_SECONDS, Connection
from proctor_openai.replies import ServerFailure, choice_of, ending_of, whole_logprobs

if TYPE_CHECKING:
    import tinker


class TokenClient:
    """A sampling client over the completions of vLLM, which takes and gives token ids.

    Args:
        connection: The way to the server.
        tokenizer: The model's tokenizer.
    """

    def __init__(self, connection: Connection, tokenizer: Any) -> None:
        self._connection = connection
        self._tokenizer = tokenizer

    def get_tokenizer(self) -> Any:
        """The model's tokenizer."""
        return self._tokenizer

    async def check(self) -> None:
        """Holds the server to giving back the tokens that it got and those that it sampled.

        Raises:
            BackendError: It does not, or it refuses.
        """
        ids = [int(token) for token in self._tokenizer.encode("The sky is")]
        options = {"max_tokens": 1, "temperature": 0.0, "top_p": 1.0, "logprobs": 1, "seed": 0}
        reply = await self._connection.patiently(
            lambda: self._create(ids, options, {"top_k": -1}, PREFLIGHT_SECONDS)
        )
        choice = reply.choices[0] if getattr(reply, "choices", None) else None
        given = getattr(choice, "prompt_token_ids", None) or getattr(
            reply, "prompt_token_ids", None
        )
        if not getattr(choice, "token_ids", None) or given != ids:
            raise BackendError(
                "the server does not give token ids back, without which an answer can't be read "
                "as the model wrote it",
                where=f"openai {self._connection.model} at {self._connection.address}",
                fix="use it as a judge; evaluate through a server that does, such as vLLM",
            )

    def sample(
        self,
        prompt: tinker.ModelInput,
        num_samples: int,
        sampling_params: tinker.SamplingParams,
        **_: Any,
    ) -> Awaitable[tinker.SampleResponse]:
        """Sends a request for each sample, with a seed of its own."""
        where = f"openai {self._connection.model}"
        ids = Prompt.of_model_input(prompt).text_tokens(where)
        return self._sample(ids, num_samples, sampling_params)

    async def sample_async(
        self, prompt: Any, num_samples: int, sampling_params: Any, **_: Any
    ) -> tinker.SampleResponse:
        """Sends a request for each sample, with a seed of its own."""
        return await self.sample(prompt, num_samples, sampling_params)

    async def _sample(
        self, ids: list[int], count: int, params: tinker.SamplingParams
    ) -> tinker.SampleResponse:
        import tinker

        one = (self._one(ids, params, index) for index in range(count))
        return tinker.SampleResponse(sequences=list(await asyncio.gather(*one)))

    async def _one(
        self, ids: list[int], params: tinker.SamplingParams, index: int
    ) -> tinker.SampledSequence:
        import tinker

        stop = params.stop if params.stop is not None else []
        stops = [stop] if isinstance(stop, str) else list(stop)
        options: dict[str, Any] = {
            "max_tokens": params.max_tokens,
            "temperature": params.temperature,
            "top_p": params.top_p,
            "logprobs": 1,
        }
        if params.seed is not None:
            options["seed"] = as_seed(hash64(params.seed, index)) if index else params.seed
        extra: dict[str, Any] = {"top_k": params.top_k}
        if stops and isinstance(stops[0], str):
            options["stop"] = stops
        elif stops:
            extra["stop_token_ids"] = stops
        reply = await self._create(ids, options, extra)
        try:
            choice = choice_of(reply)
            ending = ending_of(choice.finish_reason)
        except ServerFailure as failure:
            kind = TransientError if failure.may_help else BackendError
            raise kind(str(failure)) from failure
        given = getattr(choice, "prompt_token_ids", None) or getattr(
            reply, "prompt_token_ids", None
        )
        if given is not None and list(given) != ids:
            raise BackendError("the server answered another prompt than it was sent")
        tokens = [int(token) for token in choice.token_ids]
        logprobs = getattr(choice.logprobs, "token_logprobs", None)
        return tinker.SampledSequence(
            stop_reason="length" if ending == "truncated" else "stop",
            sequence_id=f"{reply.id}-{index}",
            _tokens_list=tokens,
            _logprobs_list=whole_logprobs(logprobs, len(tokens)),
        )

    async def compute_logprobs(self, prompt: tinker.ModelInput) -> list[float | None]:
        """The log-probability of each token of the prompt; None for the first.

        Raises:
            BackendError: The server gives no log-probabilities of prompts.
        """
        ids = prompt.to_ints()
        reply = await self._create(ids, {"max_tokens": 1}, {"prompt_logprobs": 0})
        given = getattr(reply.choices[0], "prompt_logprobs", None)
        if not given or len(given) != len(ids):
            raise BackendError("the server gives no log-probabilities of prompts")
        return [
            None if at is None else float(at[str(token)]["logprob"])
            for token, at in zip(ids, given, strict=True)
        ]

    async def _create(
        self,
        ids: list[int],
        options: dict[str, Any],
        extra: dict[str, Any],
        seconds: float | None = None,
    ) -> Any:
        request = self._connection.client.completions.create(
            model=self._connection.model,
            prompt=ids,
            **options,
            extra_body={"return_token_ids": True, "add_special_tokens": False, **extra},
        )
        return await self._connection.within(request, seconds)
