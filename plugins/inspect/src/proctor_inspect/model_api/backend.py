"""The models of Proctor's backends as Inspect's: ``--model proctor/BACKEND``."""

from __future__ import annotations

from typing import Any

from inspect_ai.model import ChatMessage, GenerateConfig, ModelOutput
from inspect_ai.tool import ToolChoice, ToolInfo

from proctor import open_model
from proctor_inspect.model_api.chat_model import SampledModelAPI
from proctor_inspect.model_api.own_loop import OwnLoop


class BackendModelAPI(SampledModelAPI):
    """A backend's model: ``--model proctor/local``, with its options as ``-M NAME=VALUE``.

    Args:
        model_name: The backend's name, as Inspect calls what follows ``proctor/``.
        renderer_name: The renderer; None to choose by the model.
        config: Inspect's generation config.
        **options: The backend's options.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig | None = None,
        renderer_name: str | None = None,
        **options: Any,
    ) -> None:
        self._own = OwnLoop()
        if base_url is not None:
            options["base_url"] = base_url
        opened = self._own.run(open_model(model_name, **options))
        super().__init__(opened, renderer_name, config)

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Samples on the loop that the model was opened on."""
        output: ModelOutput = await self._own.call(
            super().generate(input, tools, tool_choice, config)
        )
        return output
