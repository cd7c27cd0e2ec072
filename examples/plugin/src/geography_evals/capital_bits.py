"""An evaluator that samples nothing: it reads the model's own probabilities."""

import asyncio
import math
from typing import Any

from geography_evals.country_capitals import CountryCapitals
from proctor import SamplingClientEvaluator


class CapitalBits(SamplingClientEvaluator):
    """How many bits the model needs for the right capitals; fewer are better."""

    def __init__(self, continent: str | None = None) -> None:
        self.dataset = CountryCapitals(continent=continent)

    async def __call__(self, sampling_client: Any) -> dict[str, float]:
        tokenizer = sampling_client.get_tokenizer()
        bits = await asyncio.gather(
            *(
                self._bits(sampling_client, tokenizer, f"{example.input} ", example.target)
                for example in self.dataset.examples()
            )
        )
        return {"bits_per_capital": sum(bits) / len(bits)}

    async def _bits(self, client: Any, tokenizer: Any, question: str, answer: str) -> float:
        import tinker

        given = len(tokenizer.encode(question, add_special_tokens=False))
        tokens = tokenizer.encode(question + answer, add_special_tokens=False)
        logprobs = await client.compute_logprobs(tinker.ModelInput.from_ints(tokens))
        return -sum(logprobs[given:]) / math.log(2)
