"""Evaluates tasks with lm-evaluation-harness, without and with the chat template.

It runs in the environment of lm-evaluation-harness: MODEL TASKS OUTPUT, where TASKS is a JSON file
with the configs of its tasks, and OUTPUT gets the metrics and the log-likelihoods of each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import lm_eval
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager


def main(model: str, tasks: str, output: str) -> None:
    configs = json.loads(Path(tasks).read_text(encoding="utf-8"))
    loaded = HFLM(pretrained=model, dtype="float32", device="cpu", batch_size=1)
    # its own thousands of tasks are not looked at
    manager = TaskManager(include_defaults=False)
    found = {}
    for name, with_template in (("plain", False), ("chat", True)):
        chosen = [c for c in configs if not with_template or c["metadata"]["with_template"]]
        results = lm_eval.simple_evaluate(
            model=loaded,
            tasks=chosen,
            task_manager=manager,
            apply_chat_template=with_template,
            fewshot_as_multiturn=with_template,
            bootstrap_iters=0,
        )
        found[name] = {task: read(results, task) for task in results["results"]}
    Path(output).write_text(json.dumps(found), encoding="utf-8")


def read(results: Any, task: str) -> dict[str, Any]:
    """A task's metrics, and each row's log-likelihoods in the order of the rows."""
    metrics = {
        key.removesuffix(",none"): value
        for key, value in results["results"][task].items()
        if isinstance(value, float)
    }
    rows = sorted(results["samples"][task], key=lambda row: row["doc_id"])
    logprobs = [[logprob(given) for (given,) in row["resps"]] for row in rows]
    return {"metrics": metrics, "logprobs": logprobs}


def logprob(given: Any) -> float:
    """A log-likelihood, beside which may stand whether it is the likeliest continuation's."""
    return float(given[0] if isinstance(given, (list, tuple)) else given)


if __name__ == "__main__":
    main(*sys.argv[1:])
