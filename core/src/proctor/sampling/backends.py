"""Backends: they open sampling clients, and know which model those sample from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proctor.components.component import Component
from proctor.sampling.budget import DEFAULT_REQUEST_TIMEOUT
from proctor.sampling.models import OpenedModel

if TYPE_CHECKING:
    from proctor.sampling.models import ChatModel


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
        from proctor.sampling.rendered_chat_model import RenderedChatModel

        model = await self.open_model()
        return RenderedChatModel(model, renderer, request_timeout=request_timeout)


async def open_model(backend: str, **options: object) -> OpenedModel:
    """Opens a model by the name of its backend, for use from Python.

    Args:
        backend: The backend's name, such as ``local``.
        **options: The backend's options.

    Raises:
        ProctorError: There is no such backend, an option is wrong, or the model can't be opened.
    """
    from proctor.components.build import build

    made: Backend = build("backend", {"type": backend, **options})
    await made.open()
    return await made.open_model()
