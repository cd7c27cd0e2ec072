"""Teaches a model twelve facts with tinker-cookbook's training loop, with evaluators by name.

    pip install proctor proctor-cookbook proctor-text proctor-datasets
    export TINKER_API_KEY=...
    python examples/cookbook_sft.py --model-name Qwen/Qwen3-8B --renderer-name qwen3

The metrics are in metrics.jsonl under the log folder, the samples in evaluations/ beside it.
"""

import argparse
import asyncio
import json
from pathlib import Path

from tinker_cookbook.supervised import train
from tinker_cookbook.supervised.data import FromConversationFileBuilder
from tinker_cookbook.supervised.types import ChatDatasetBuilderCommonConfig

import proctor

HERE = Path(__file__).parent


def conversations(log_path: Path) -> Path:
    """The facts as conversations, in the form that tinker-cookbook reads."""
    file = log_path / "conversations.jsonl"
    with file.open("w") as out:
        for line in (HERE / "facts.jsonl").read_text().splitlines():
            fact = json.loads(line)
            turns = [("user", fact["input"]), ("assistant", fact["target"])]
            print(json.dumps({"messages": [{"role": r, "content": c} for r, c in turns]}), file=out)
    return file


def config_of(options: argparse.Namespace) -> train.Config:
    options.log_path.mkdir(parents=True, exist_ok=True)
    common = ChatDatasetBuilderCommonConfig(
        model_name_for_tokenizer=options.model_name,
        renderer_name=options.renderer_name,
        max_length=128,
        batch_size=6,
    )
    evals = options.evals
    return train.Config(
        log_path=str(options.log_path),
        model_name=options.model_name,
        recipe_name="proctor_facts",
        renderer_name=options.renderer_name,
        dataset_builder=FromConversationFileBuilder(
            file_path=str(conversations(options.log_path)), common_config=common
        ),
        evaluator_builders=proctor.evaluator_builders(evals, log_path=options.log_path),
        infrequent_evaluator_builders=proctor.infrequent_evaluator_builders(
            evals, log_path=options.log_path
        ),
        eval_every=options.eval_every,
        infrequent_eval_every=options.infrequent_eval_every,
        learning_rate=options.learning_rate,
        num_epochs=options.num_epochs,
        lora_rank=8,
        save_every=options.save_every,
        submit_ahead=0,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model-name", default="Qwen/Qwen3-8B")
    parser.add_argument("--renderer-name", default="qwen3")
    parser.add_argument("--evals", type=Path, default=HERE / "cookbook.yaml")
    parser.add_argument("--log-path", type=Path, default=Path("runs/cookbook-facts"))
    parser.add_argument("--num-epochs", type=int, default=12)
    parser.add_argument("--eval-every", type=int, default=4)
    parser.add_argument("--infrequent-eval-every", type=int, default=8)
    parser.add_argument("--save-every", type=int, default=10)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    asyncio.run(train.main(config_of(parser.parse_args())))
