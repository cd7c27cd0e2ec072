"""Teaches a model twelve facts with the tinker SDK, and evaluates it as it learns.

export TINKER_API_KEY=...
python examples/train_sft.py --base-model Qwen/Qwen3-8B --log-path runs/facts
proctor show runs/facts/evaluations/step-000040
python examples/plot_score.py runs/facts facts
"""

import argparse
import asyncio
import json
from pathlib import Path

import tinker

import proctor
from proctor.renderers import Renderer, choose_renderer, get_renderer

HERE = Path(__file__).parent


def datum(renderer: Renderer, question: str, answer: str) -> tinker.Datum:
    """A question and its answer as what is trained on: the answer's tokens weigh 1."""
    prompt = renderer.prompt_tokens([{"role": "user", "content": question}])
    target = renderer.answer_tokens({"role": "assistant", "content": answer}, prompt=prompt)
    tokens, weights = [*prompt, *target], [0.0] * len(prompt) + [1.0] * len(target)
    return tinker.Datum(
        model_input=tinker.ModelInput.from_ints(tokens[:-1]),
        loss_fn_inputs={"target_tokens": tokens[1:], "weights": weights[1:]},
    )


def write_log(log_path: Path, arrived: list[tuple[int, dict[str, float]]]) -> None:
    """Logs the metrics that have arrived; in the background, those of earlier steps."""
    with (log_path / "metrics.jsonl").open("a") as log:
        for step, metrics in arrived:
            print(json.dumps({"step": step, **metrics}), file=log)
            print(f"step {step:3}  facts/score {metrics.get('facts/score', float('nan')):.3f}")


async def train(options: argparse.Namespace) -> None:
    service = tinker.ServiceClient()
    client = await service.create_lora_training_client(base_model=options.base_model, rank=8)
    tokenizer = proctor.get_tokenizer(options.base_model)
    name, _ = choose_renderer(model_name=options.base_model, tokenizer=tokenizer)
    renderer = get_renderer(name, tokenizer)
    facts = [json.loads(line) for line in (HERE / "facts.jsonl").read_text().splitlines()]
    data = [datum(renderer, fact["input"], fact["target"]) for fact in facts]
    adam = tinker.AdamParams(learning_rate=options.learning_rate)
    async with proctor.InlineEvaluations(options.evals, log_path=options.log_path) as evals:
        for step in range(options.steps):
            await evals.step(step, training_client=client)
            write_log(options.log_path, evals.arrived())
            first = step * options.batch_size
            batch = [data[i % len(data)] for i in range(first, first + options.batch_size)]
            done = client.forward_backward(batch, "cross_entropy")
            updated = client.optim_step(adam)
            await done
            await updated
        await evals.finish(options.steps, training_client=client)
        write_log(options.log_path, evals.arrived())
    saved = await client.save_weights_for_sampler("final")
    print(f"evaluate it again: proctor run {options.evals} --model-path {saved.path}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-model", default="Qwen/Qwen3-8B")
    parser.add_argument("--evals", type=Path, default=HERE / "facts.yaml")
    parser.add_argument("--log-path", type=Path, default=Path("runs/facts"))
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=6)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    arguments = parser.parse_args()
    arguments.log_path.mkdir(parents=True, exist_ok=True)
    asyncio.run(train(arguments))
