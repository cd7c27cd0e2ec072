"""Reinforces right answers with tinker-cookbook's RL loop, with two evaluators by name.

pip install proctor proctor-cookbook proctor-text proctor-datasets
export TINKER_API_KEY=...
python examples/cookbook_rl.py --model-name Qwen/Qwen3-8B --renderer-name qwen3
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import chz
from tinker_cookbook import renderers
from tinker_cookbook.rl import train
from tinker_cookbook.rl.problem_env import ProblemEnv, ProblemGroupBuilder
from tinker_cookbook.rl.types import EnvGroupBuilder, RLDataset, RLDatasetBuilder
from tinker_cookbook.tokenizer_utils import get_tokenizer

import proctor

HERE = Path(__file__).parent


class CapitalEnv(ProblemEnv):
    """One question; an answer that holds the capital's name is right."""

    def __init__(self, row: dict[str, str], renderer: renderers.Renderer) -> None:
        super().__init__(renderer, format_coef=0.0)
        self.row = row

    def get_question(self) -> str:
        return self.row["input"]

    def check_answer(self, sample_str: str) -> bool:
        return self.row["target"] in sample_str

    def check_format(self, sample_str: str) -> bool:
        return True

    def get_reference_answer(self) -> str:
        return self.row["target"]


class Capitals(RLDataset):
    """The same questions in each batch."""

    def __init__(self, builders: list[EnvGroupBuilder], batches: int) -> None:
        self.builders, self.batches = builders, batches

    def get_batch(self, index: int) -> Sequence[EnvGroupBuilder]:
        return self.builders

    def __len__(self) -> int:
        return self.batches


@chz.chz
class CapitalsBuilder(RLDatasetBuilder):
    model_name: str
    renderer_name: str
    group_size: int
    batches: int

    async def __call__(self) -> tuple[RLDataset, RLDataset | None]:
        renderer = renderers.get_renderer(self.renderer_name, get_tokenizer(self.model_name))
        rows = [json.loads(line) for line in (HERE / "capitals.jsonl").read_text().splitlines()]
        builders: list[EnvGroupBuilder] = [
            ProblemGroupBuilder(partial(CapitalEnv, row, renderer), self.group_size) for row in rows
        ]
        return Capitals(builders, self.batches), None


def config_of(options: argparse.Namespace) -> train.Config:
    return train.Config(
        log_path=str(options.log_path),
        model_name=options.model_name,
        recipe_name="proctor_capitals",
        renderer_name=options.renderer_name,
        dataset_builder=CapitalsBuilder(
            model_name=options.model_name,
            renderer_name=options.renderer_name,
            group_size=4,
            batches=options.batches,
        ),
        evaluator_builders=proctor.evaluator_builders(options.evals, log_path=options.log_path),
        eval_every=options.eval_every,
        save_every=options.save_every,
        learning_rate=options.learning_rate,
        max_tokens=16,
        lora_rank=8,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model-name", default="Qwen/Qwen3-8B")
    parser.add_argument("--renderer-name", default="qwen3")
    parser.add_argument("--evals", type=Path, default=HERE / "capitals.yaml")
    parser.add_argument("--log-path", type=Path, default=Path("runs/cookbook-capitals"))
    parser.add_argument("--batches", type=int, default=8)
    parser.add_argument("--eval-every", type=int, default=2)
    parser.add_argument("--save-every", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    asyncio.run(train.main(config_of(parser.parse_args())))
