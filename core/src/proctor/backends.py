"""Backends: they open sampling clients, and know which model those sample from."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from proctor.components import Component
from proctor.sampling import DEFAULT_REQUEST_TIMEOUT
from proctor.types import ModelIdentity

if TYPE_CHECKING:
    import tinker

    from proctor.chat_models import ChatModel


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
    tokenizer: Any
    max_in_flight: int | None = None
    seed_covers_samples: bool = False


class Backend(Component):
    """Base of backends. Its options say which model; ``open_model`` opens it."""

    async def open_model(self) -> OpenedModel:
        """Opens the model, after checking that it can be opened.

        Raises:
            BackendError: It can't; the message says what to do.
        """
        raise NotImplementedError

    async def open_chat_model(
        self, renderer: str | None = None, *, request_timeout: float = DEFAULT_REQUEST_TIMEOUT
    ) -> ChatModel:
        """Opens the model as a chat model, as a judge uses it.

        The default renders messages for the sampling client that ``open_model`` gives; a backend
        of a chat API overrides it.

        Args:
            renderer: The renderer's name; None to choose by the model.
            request_timeout: Seconds for one request.

        Raises:
            BackendError: It can't be opened; the message says what to do.
            RendererError: No renderer fits the model.
        """
        from proctor.chat_models import RenderedChatModel

        model = await self.open_model()
        return RenderedChatModel(model, renderer, request_timeout=request_timeout)


async def open_model(backend: str, **options: Any) -> OpenedModel:
    """Opens a model by the name of its backend, for use from Python.

    Args:
        backend: The backend's name, such as ``local``.
        **options: The backend's options.

    Raises:
        ProctorError: There is no such backend, an option is wrong, or the model can't be opened.
    """
    from proctor.build import build

    made: Backend = build("backend", {"type": backend, **options})
    await made.open()
    return await made.open_model()
