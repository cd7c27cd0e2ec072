"""The model API that Tinker's documentation puts over a sampling client."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from inspect_ai.model import ChatMessage, GenerateConfig, ModelOutput, modelapi
from inspect_ai.tool import ToolChoice, ToolInfo

from proctor import ConfigError, EvaluationContext, open_model
from proctor_inspect.model_api.chat_model import SampledModelAPI
from proctor_inspect.model_api.own_loop import OwnLoop


@modelapi(name="tinker-sampling")
class InspectAPIFromTinkerSampling(SampledModelAPI):
    """Inspect's model API over a tinker sampling client, as Tinker's documentation uses it.

    Args:
        renderer_name: The renderer.
        model_name: The base model, by which its tokenizer is found.
        model_path: A checkpoint to open, where there is no client yet.
        sampling_client: The client.
        verbose: Whether prompts and answers are logged.
        config: Inspect's generation config.

    Raises:
        ConfigError: There is neither a client nor a path, or both.
    """

    def __init__(
        self,
        renderer_name: str,
        model_name: str,
        model_path: str | None = None,
        sampling_client: Any = None,
        base_url: str | None = None,
        config: GenerateConfig | None = None,
        verbose: bool = False,
        **_: Any,
    ) -> None:
        if (model_path is None) == (sampling_client is None):
            raise ConfigError(
                "give a sampling_client or a model_path, and not both",
                where="InspectAPIFromTinkerSampling",
            )
        if sampling_client is None:
            options = {"model_path": model_path, "base_model": model_name, "base_url": base_url}
            given = {key: value for key, value in options.items() if value is not None}
            opened = OwnLoop().run(open_model("tinker", **given))
        else:
            opened = EvaluationContext.for_client(sampling_client).opened(sampling_client)
            opened = replace(opened, identity=replace(opened.identity, base_model=model_name))
        super().__init__(opened, renderer_name, config)
        self._verbose = verbose

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Samples as Inspect asks, and logs it where that was wanted."""
        output = await super().generate(input, tools, tool_choice, config)
        if self._verbose:
            logging.getLogger(__name__).info("%s -> %s", input[-1].text, output.completion)
        return output
