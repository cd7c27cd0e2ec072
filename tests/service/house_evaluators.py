"""Evaluators as a team writes them after Tinker's documentation: no line of them is Proctor's."""

from __future__ import annotations

from collections.abc import Callable

import tinker
from tinker_cookbook import renderers
from tinker_cookbook.eval.evaluators import SamplingClientEvaluator
from tinker_cookbook.tokenizer_utils import get_tokenizer


def holds(response: str, target: str) -> bool:
    """Correct when the response holds the target."""
    return target.lower() in response.lower()


class CapitalEvaluator(SamplingClientEvaluator):
    """Asks for capitals, one after the other."""

    def __init__(
        self,
        capitals: list[dict[str, str]],
        grader_fn: Callable[[str, str], bool],
        model_name: str,
        renderer_name: str,
    ) -> None:
        self.capitals = capitals
        self.grader_fn = grader_fn
        self.renderer = renderers.get_renderer(renderer_name, get_tokenizer(model_name))

    async def __call__(self, sampling_client: tinker.SamplingClient) -> dict[str, float]:
        params = tinker.SamplingParams(
            max_tokens=16, temperature=0.0, stop=self.renderer.get_stop_sequences()
        )
        correct = 0
        for row in self.capitals:
            question = renderers.Message(role="user", content=row["input"])
            prompt = self.renderer.build_generation_prompt([question])
            response = await sampling_client.sample_async(
                prompt=prompt, num_samples=1, sampling_params=params
            )
            message, _ = self.renderer.parse_response(response.sequences[0].tokens)
            answer = renderers.get_text_content(message)
            correct += self.grader_fn(answer, row["output"])
        return {"accuracy": correct / len(self.capitals)}
