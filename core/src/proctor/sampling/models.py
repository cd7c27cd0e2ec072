"""What a sampling client is, and a chat model."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from proctor.renderers.tokenizers import Tokenizer
from proctor.types import Message, ModelIdentity, Sample, SamplingOptions

if TYPE_CHECKING:
    import tinker

Client: TypeAlias = Any  # tinker's sampling clients, and a training loop's that sample as they do
TrainingClient: TypeAlias = Any  # tinker's training clients, and what trains as they do


class ChatModel:
    """Base of chat models: a sampling client with a renderer, or an HTTP chat API.

    Attributes:
        identity: Which model it is.
        max_in_flight: Most requests that it can take at once; None for no limit of its own.
        takes_schema: Whether it can hold its answer to a JSON schema.
    """

    identity: ModelIdentity
    max_in_flight: int | None = None
    takes_schema: bool = False

    async def generate(
        self,
        messages: Sequence[Message],
        sampling: SamplingOptions,
        n: int = 1,
        *,
        schema: Mapping[str, object] | None = None,
    ) -> list[Sample]:
        """Continues a conversation ``n`` times.

        Args:
            messages: The conversation.
            sampling: How to sample. With a seed, the same call gives the same answers, and the
                ``n`` answers differ.
            n: How many answers.
            schema: A JSON schema that the answer must follow, where ``takes_schema``.

        Returns:
            ``n`` samples, in order. One whose request gave no answer is ``failed`` and says why.

        Raises:
            ProctorError: The conversation, or an option, is nothing that the model can be asked.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Drops what the model holds."""


@runtime_checkable
class SamplingClient(Protocol):
    """What samples tokens. ``tinker.SamplingClient`` is the model for it."""

    def sample(
        self,
        prompt: tinker.ModelInput,
        num_samples: int,
        sampling_params: tinker.SamplingParams,
    ) -> Awaitable[tinker.SampleResponse]:
        """Submits one request for ``num_samples`` answers."""

    def compute_logprobs(self, prompt: tinker.ModelInput) -> Awaitable[list[float | None]]:
        """The log-probability of each token of the prompt; None for the first."""


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model that is ready to be sampled.

    Attributes:
        client: The sampling client.
        identity: Which model it is.
        tokenizer: The model's tokenizer, with transformers' interface.
        max_in_flight: Most requests that the client can take at once; None for no limit of its own.
        seed_covers_samples: Whether one seed gives different answers within one request. Where it
            doesn't, requests for several samples go out without a seed.
    """

    client: SamplingClient
    identity: ModelIdentity
    tokenizer: Tokenizer
    max_in_flight: int | None = None
    seed_covers_samples: bool = False
