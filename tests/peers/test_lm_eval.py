"""``choice_logprob`` and ``nll`` give the figures of lm-evaluation-harness, on the real model."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import proctor

NATS = 1e-3
"""How far log-likelihoods may be apart."""


@dataclass(frozen=True)
class Evaluated:
    """What an evaluator came to.

    Attributes:
        metrics: By their names.
        likelihoods: Each row's, of its options.
        prompts: Each row's tokens before an option.
    """

    metrics: dict[str, float]
    likelihoods: dict[str, list[float]]
    prompts: dict[str, list[int]]


@pytest.fixture
def evaluate(tmp_path: Path, smollm2_folder: Path, command_line: Any) -> Callable[..., Evaluated]:
    """Runs one evaluator with a renderer over rows."""

    def run(type_: str, rows: list[dict[str, Any]], renderer: Any) -> Evaluated:
        config = {
            "model": {"backend": "local", "model": str(smollm2_folder), "dtype": "float32"},
            "renderer": renderer,
            "evaluators": [{"type": type_, "dataset": {"type": "inline", "rows": rows}}],
        }
        (tmp_path / "evals.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        printed = command_line("run", "evals.yaml", "--strict", "--out", "run", "--json")
        assert printed.code == 0, printed.err
        finished = proctor.FinishedRun(tmp_path / "run")
        grades, likelihoods, prompts = finished.grades(), {}, {}
        for sample in finished.samples():
            row = sample["example"]
            prompts[row] = sample["calls"][0]["prompt_tokens"]
            for grade in grades[type_, sample["key"]]:
                if grade["grader"] == "accuracy":
                    likelihoods[row] = grade["metadata"]["likelihoods"]
        return Evaluated(json.loads(printed.out)["metrics"], likelihoods, prompts)

    return run


@pytest.fixture
def last_logprob(smollm2_folder: Path) -> Callable[[list[int]], float]:
    """The log-probability of the last of some tokens, by transformers alone."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(smollm2_folder, dtype=torch.float32)

    def of(tokens: list[int]) -> float:
        with torch.no_grad():
            logits = model(torch.tensor([tokens[:-1]])).logits[0, -1]
        return float(torch.log_softmax(logits, dim=-1)[tokens[-1]])

    return of


def as_row(question: dict[str, Any], shots: list[dict[str, Any]]) -> dict[str, Any]:
    """A question as a row of Proctor's, after some with their answers."""
    messages = []
    for shot in shots:
        messages.append({"role": "user", "content": shot["question"]})
        messages.append({"role": "assistant", "content": shot["choices"][shot["answer"]]})
    messages.append({"role": "user", "content": question["question"]})
    choices = {"choices": question["choices"], "target": question["answer"]}
    return {"id": question["id"], "input": messages, **choices}


def test_the_questions_are_of_all_kinds(questions: list[dict[str, Any]]) -> None:
    texts = [question["question"] for question in questions]
    assert len(texts) >= 20
    assert sum(text != text.rstrip() for text in texts) >= 4
    assert sum(not text.isascii() for text in texts) >= 5
    assert all(len({len(choice) for choice in q["choices"]}) > 1 for q in questions)


@pytest.mark.parametrize(
    ("way", "task"),
    [("plain", "choices"), ("plain", "choices_after_shots"), ("chat", "choices")],
)
def test_choice_logprob_is_acc_and_acc_norm(
    way: str,
    task: str,
    questions: list[dict[str, Any]],
    shots: list[dict[str, Any]],
    lm_eval: Any,
    evaluate: Any,
    last_logprob: Any,
) -> None:
    """Without a chat template, and with it."""
    theirs = lm_eval[way][task]
    before = shots if task == "choices_after_shots" else []
    rows = [as_row(question, before) for question in questions]
    mine = evaluate("choice_logprob", rows, "plain" if way == "plain" else "chat_template")
    columns = {
        "accuracy": "acc",
        "accuracy_normalized": "acc_norm",
        "accuracy_per_byte": "acc_bytes",
    }
    scores = {c: mine.metrics[f"choice_logprob/{c}/score"] for c in columns}
    assert scores == pytest.approx({c: theirs["metrics"][name] for c, name in columns.items()})
    assert len(set(scores.values())) > 1
    for row, wanted in zip(rows, theirs["logprobs"], strict=True):
        found = mine.likelihoods[row["id"]]
        if way == "chat":
            # they count the template's last line break with each option
            line_break = last_logprob(mine.prompts[row["id"]])
            assert -0.02 < line_break < 0
            found = [value + line_break for value in found]
        assert found == pytest.approx(wanted, abs=NATS, rel=0), row


def test_nll_of_a_continuation_is_its_loglikelihood(
    questions: list[dict[str, Any]], lm_eval: Any, evaluate: Any
) -> None:
    mine = evaluate("nll", [as_row(question, []) for question in questions], "plain")
    nats = -sum(value for (value,) in lm_eval["plain"]["continuations"]["logprobs"])
    size = sum(len(q["choices"][q["answer"]].encode()) for q in questions)
    bits = nats / math.log(2) / size
    assert mine.metrics["nll/bits_per_byte/score"] == pytest.approx(bits, abs=1e-4)


def test_bits_per_byte_of_whole_texts(
    questions: list[dict[str, Any]], lm_eval: Any, evaluate: Any
) -> None:
    nothing = [{"role": "user", "content": ""}]
    rows = [{"id": q["id"], "input": nothing, "target": q["question"]} for q in questions]
    mine = evaluate("nll", rows, {"type": "plain", "answer_separator": ""})
    wanted = lm_eval["plain"]["whole_texts"]["metrics"]["bits_per_byte"]
    assert mine.metrics["nll/bits_per_byte/score"] == pytest.approx(wanted, abs=1e-4)
