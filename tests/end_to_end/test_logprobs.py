"""The evaluators on log-probabilities against transformers, on the real model."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml

import proctor
from proctor.renderers import choose_renderer, get_renderer

FACTS = [
    ("What is the capital of France?", "Paris"),
    ("What is the capital of Germany?", "Berlin"),
    ("Where does the Danube end?", "In the Black Sea, in Romania."),
    ("Wie heißt die größte Stadt der Schweiz?", "Zürich"),
]
CHOICES = [
    ("What is the capital of France?", ["Paris", "Lyon", "Berlin"], 0),
    ("How many legs has a spider?", ["six", "eight", "ten"], 1),
    ("Which of these is a colour?", ["table", "run", "blue"], 2),
    ("Water freezes at zero degrees of which scale?", ["Kelvin", "Celsius"], 1),
]


@pytest.fixture(scope="module")
def reference(smollm2_folder: Path) -> Any:
    """Log-probabilities of an answer's tokens after a prompt, by transformers alone."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(smollm2_folder, dtype=torch.float32)
    tokenizer = proctor.get_tokenizer(str(smollm2_folder))
    name, _ = choose_renderer(
        name=None,
        model_name=str(smollm2_folder),
        checkpoint_renderer_name=None,
        tokenizer=tokenizer,
    )
    renderer = get_renderer(name, tokenizer)

    def logprobs(question: str, answer: str) -> tuple[list[int], list[float]]:
        prompt = renderer.prompt_tokens([{"role": "user", "content": question}])
        target = tokenizer.encode(answer, add_special_tokens=False)
        with torch.no_grad():
            logits = model(torch.tensor([[*prompt, *target]])).logits[0]
        table = torch.log_softmax(logits, dim=-1)
        start = len(prompt) - 1
        return target, [float(table[start + i, token]) for i, token in enumerate(target)]

    return logprobs


@pytest.fixture
def config(tmp_path: Path) -> Path:
    facts = [{"id": str(n), "input": q, "target": a} for n, (q, a) in enumerate(FACTS)]
    choices = [
        {"id": str(n), "input": q, "choices": c, "target": t} for n, (q, c, t) in enumerate(CHOICES)
    ]
    evaluators = [
        {"type": "nll", "dataset": {"type": "inline", "rows": facts}},
        {"type": "choice_logprob", "dataset": {"type": "inline", "rows": choices}},
    ]
    text = yaml.safe_dump({"model": {"backend": "local"}, "evaluators": evaluators})
    (tmp_path / "evals.yaml").write_text(text, encoding="utf-8")
    return tmp_path / "evals.yaml"


def test_they_agree_with_transformers(config: Path, reference: Any, command_line: Any) -> None:
    printed = command_line("run", str(config), "--out", "run", "--json")
    assert printed.code == 0, printed.err
    metrics = json.loads(printed.out)["metrics"]
    nats = tokens = text_nats = text_bytes = 0.0
    for question, answer in FACTS:
        ids, values = reference(question, f"{answer}<|im_end|>")
        nats -= sum(values)
        tokens += len(ids)
        text_nats -= sum(values[:-1])
        text_bytes += len(answer.encode())
    assert metrics["nll/nll/score"] == pytest.approx(nats / tokens, abs=1e-4)
    bits = text_nats / math.log(2) / text_bytes
    assert metrics["nll/bits_per_byte/score"] == pytest.approx(bits, abs=1e-4)
    plain = normalized = 0
    for question, options, target in CHOICES:
        sums = [sum(reference(question, option)[1]) for option in options]
        by_byte = [s / len(o.encode()) for s, o in zip(sums, options, strict=True)]
        plain += max(range(len(options)), key=lambda i: sums[i]) == target
        normalized += max(range(len(options)), key=lambda i: by_byte[i]) == target
    assert metrics["choice_logprob/accuracy/score"] == plain / len(CHOICES)
    assert metrics["choice_logprob/accuracy_normalized/score"] == normalized / len(CHOICES)
    grades = proctor.FinishedRun(config.parent / "run").grades().values()
    likelihoods = [
        record["metadata"]["likelihoods"]
        for records in grades
        for record in records
        if record["grader"] == "accuracy"
    ]
    expected = [
        [sum(reference(question, option)[1]) for option in options]
        for question, options, _ in CHOICES
    ]
    for found in likelihoods:
        assert any(found == pytest.approx(values, abs=1e-3) for values in expected)


def test_a_run_of_them_can_be_looked_at(config: Path, command_line: Any) -> None:
    assert command_line("run", str(config), "--out", "run").code == 0
    shown = command_line("show", "run")
    assert shown.code == 0
    assert "Zürich" in shown.out
    assert "bits_per_byte" in shown.out
