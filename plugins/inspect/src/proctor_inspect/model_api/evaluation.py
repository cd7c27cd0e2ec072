"""The model under evaluation as Inspect's, within the evaluation's limits."""

from __future__ import annotations

from inspect_ai.model import ChatMessage, GenerateConfig, Model, ModelOutput, modelapi
from inspect_ai.tool import ToolChoice, ToolInfo

from proctor import EvaluationContext, RenderedModel, SamplingOptions
from proctor_inspect.model_api.chat_model import SampledModelAPI
from proctor_inspect.model_api.generation import generate_config, refuse_choices


def evaluation_model(
    rendered: RenderedModel, context: EvaluationContext, sampling: SamplingOptions
) -> Model:
    """Inspect's model for an evaluation of ours, with its limits, budget and seed."""
    config = generate_config(sampling, top_p=sampling.top_p, max_connections=context.budget.cap)
    api = _EvaluationModelAPI(
        rendered.model,
        rendered.renderer_name,
        config,
        seed=sampling.seed if sampling.seed is not None else context.seed,
        keeps_tokens=True,
        request_timeout=context.request_timeout,
        budget=context.budget,
        deadline=context.deadline,
        stop=context.stop,
    )
    return Model(api=api, config=config)


@modelapi(name="proctor-evaluation")
class _EvaluationModelAPI(SampledModelAPI):
    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """Samples as Inspect asks, one answer a request: what is sampled is graded."""
        refuse_choices(config)
        return await super().generate(input, tools, tool_choice, config)
