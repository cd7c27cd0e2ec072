"""Reinforces right answers with the tinker SDK, and evaluates the model as it learns.

    export TINKER_API_KEY=...
    python examples/train_rl.py --base-model Qwen/Qwen3-8B --log-path runs/capitals
    proctor show runs/capitals/evaluations/step-000004

The reward is 1 for a right answer and 0 for another; an answer's advantage is its reward less the
mean of the answers to the same question. The rollouts' sampling client is evaluated too, so a step
takes one snapshot of the weights.
"""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

import tinker

import proctor
from proctor.renderers import Renderer, choose_renderer, get_renderer

HERE = Path(__file__).parent


async def rollouts(client: Any, renderer: Renderer, row: dict[str, str], n: int) -> list[Any]:
    """Answers to one question, as what is trained on: their tokens with their advantages."""
    prompt = renderer.prompt_tokens([{"role": "user", "content": row["input"]}])
    params = tinker.SamplingParams(max_tokens=16, stop=renderer.get_stop_sequences())
    response = await client.sample(tinker.ModelInput.from_ints(prompt), n, params)
    texts = [proctor.message_text(renderer.parse_response(s.tokens)[0]) for s in response.sequences]
    rewards = [float(row["target"] in text) for text in texts]
    data = []
    for sequence, reward in zip(response.sequences, rewards, strict=True):
        before = [0.0] * (len(prompt) - 1)
        advantage = reward - sum(rewards) / n
        inputs = {
            "target_tokens": [*prompt[1:], *sequence.tokens],
            "logprobs": [*before, *sequence.logprobs],
            "advantages": [*before, *[advantage] * len(sequence.tokens)],
        }
        tokens = tinker.ModelInput.from_ints([*prompt, *sequence.tokens][:-1])
        data.append(tinker.Datum(model_input=tokens, loss_fn_inputs=inputs))
    return data


async def train(options: argparse.Namespace) -> None:
    service = tinker.ServiceClient()
    client = await service.create_lora_training_client(base_model=options.base_model, rank=8)
    tokenizer = proctor.get_tokenizer(options.base_model)
    name, _ = choose_renderer(model_name=options.base_model, tokenizer=tokenizer)
    renderer = get_renderer(name, tokenizer)
    rows = [json.loads(line) for line in (HERE / "capitals.jsonl").read_text().splitlines()]
    async with proctor.InlineEvaluations(options.evals, log_path=options.log_path) as evals:
        for step in range(options.steps + 1):
            sampler = await client.save_weights_and_get_sampling_client()
            evaluate = evals.finish if step == options.steps else evals.step
            metrics = await evaluate(step, sampling_client=sampler)
            with (options.log_path / "metrics.jsonl").open("a") as log:
                print(json.dumps({"step": step, **metrics}), file=log)
            if metrics:
                print(f"step {step:3}  capitals/score {metrics['capitals/score']:.3f}")
            if step < options.steps:
                asked = [rollouts(sampler, renderer, row, options.group_size) for row in rows]
                batch = [datum for group in await asyncio.gather(*asked) for datum in group]
                done = client.forward_backward(batch, "importance_sampling")
                updated = client.optim_step(tinker.AdamParams(learning_rate=options.learning_rate))
                await done
                await updated


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-model", default="Qwen/Qwen3-8B")
    parser.add_argument("--evals", type=Path, default=HERE / "capitals.yaml")
    parser.add_argument("--log-path", type=Path, default=Path("runs/capitals"))
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--group-size", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=1e-4)
    arguments = parser.parse_args()
    arguments.log_path.mkdir(parents=True, exist_ok=True)
    asyncio.run(train(arguments))
