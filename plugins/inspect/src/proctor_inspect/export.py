"""A Proctor run as Inspect's logs: one for each evaluator, for ``inspect view`` and dataframes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inspect_ai._util.error import EvalError
from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalMetric,
    EvalPlan,
    EvalPlanStep,
    EvalResults,
    EvalSample,
    EvalScore,
    EvalSpec,
    EvalStats,
    write_eval_log,
)
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    GenerateConfig,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.scorer import Score

from proctor import ConfigError, FinishedRun, choice_letter
from proctor_inspect import stop_reasons
from proctor_inspect.messages import to_chat_message
from proctor_inspect.model_api.calls import token_usage

STATUSES = {"complete": "success", "interrupted": "cancelled"}
"""Inspect's word for how a run ended; ``error`` for any other."""

REPORTED = ("score", "stderr", "ci_low", "ci_high", "coverage")
"""What becomes a metric of Inspect's."""


def export_run(folder: Path, out: Path, log_format: str = "eval") -> list[Path]:
    """Writes a log for each evaluator of a run.

    Answers that were truncated or malformed have the grader's worst value, as in the run's score;
    those that have no grade are unscored. Metrics are the run's own: Inspect computes none anew.

    Args:
        folder: The run's folder.
        out: The folder for the logs; made where there is none.
        log_format: ``eval`` or ``json``.

    Returns:
        The files.

    Raises:
        ConfigError: There is no run, or it has no samples, or a log can't be written.
    """
    run = FinishedRun(folder)
    samples: dict[str, list[Mapping[str, Any]]] = {}
    for sample in run.samples():
        samples.setdefault(sample["evaluator"], []).append(sample)
    if not samples:
        raise ConfigError(f"the run in {folder} has no samples")
    grades = run.grades()
    results = run.results() or {}
    files = []
    for evaluator, records in samples.items():
        result = results.get("evaluators", {}).get(evaluator)
        mine = {record["key"]: grades.get((evaluator, record["key"]), []) for record in records}
        log = _log(run.record, evaluator, records, mine, result)
        file = out / f"{_stamp(run.record)}_{evaluator}_{log.eval.eval_id}.{log_format}"
        try:
            out.mkdir(parents=True, exist_ok=True)
            write_eval_log(log, str(file), format="json" if log_format == "json" else "eval")
        except OSError as error:
            raise ConfigError(
                f"can't write {file}: {error.strerror}", fix="choose --out"
            ) from error
        files.append(file)
    return files


def _stamp(record: Mapping[str, Any]) -> str:
    return str(record["started"]).replace(":", "-").replace("+", "-")


def _log(
    run: Mapping[str, Any],
    evaluator: str,
    records: list[Mapping[str, Any]],
    grades: Mapping[str, Sequence[Mapping[str, Any]]],
    result: Mapping[str, Any] | None,
) -> EvalLog:
    worst = {
        grader["grader"]: grader["scale"]["worst"]
        for grader in (result["graders"] if result is not None else ())
    }
    model = str(run["model"]["key"])
    samples = [_sample(record, grades[record["key"]], worst, model) for record in records]
    ids = list(dict.fromkeys(sample.id for sample in samples))
    failed = sum(sample.error is not None for sample in samples)
    status: Any = STATUSES.get(run["status"], "error")
    why = run.get("error") or (result or {}).get("withheld") or f"the run is {run['status']}"
    usage = _total(samples)
    renderer = result["details"].get("renderer") if result is not None else None
    sampling = run["config"]["sampling"]
    return EvalLog(
        status=status,
        eval=EvalSpec(
            eval_id=f"{evaluator}-{records[0]['key'][:12]}",
            run_id=str(run["started"]),
            created=run["started"],
            task=evaluator,
            task_id=evaluator,
            dataset=EvalDataset(name=evaluator, samples=len(ids), sample_ids=[str(i) for i in ids]),
            model=model,
            model_generate_config=GenerateConfig(
                max_tokens=sampling["max_tokens"],
                temperature=sampling["temperature"],
                top_p=sampling["top_p"],
            ),
            config=EvalConfig(epochs=max(sample.epoch for sample in samples)),
            packages=dict(run["versions"]),
            metadata={"proctor": {"renderer": renderer, "seed": run["config"]["seed"]}},
        ),
        plan=EvalPlan(steps=[EvalPlanStep(solver="generate")]),
        results=EvalResults(
            total_samples=len(samples),
            completed_samples=len(samples) - failed,
            scores=[_score(grader) for grader in (result["graders"] if result is not None else ())],
        ),
        stats=EvalStats(
            started_at=run["started"],
            completed_at=run.get("finished", ""),
            model_usage={model: usage},
        ),
        error=_error(why) if status == "error" else None,
        samples=samples,
    )


def _error(why: object) -> EvalError:
    """An error without a trace: a run keeps none."""
    return EvalError(message=str(why), traceback="", traceback_ansi="")


def _score(grader: Mapping[str, Any]) -> EvalScore:
    """A grader's result; what the run withheld is no metric here either."""
    shown = REPORTED if grader["withheld"] is None else ("coverage",)
    metrics = {name: grader[name] for name in shown if grader[name] is not None}
    return EvalScore(
        name=grader["grader"],
        scorer=grader["grader"],
        scored_samples=grader["samples"],
        unscored_samples=grader["pairs"] - grader["samples"],
        metrics={name: EvalMetric(name=name, value=value) for name, value in metrics.items()},
        metadata={"withheld": grader["withheld"], "counts": grader["counts"]},
    )


def _token_counts(call: Mapping[str, Any]) -> tuple[int, int]:
    """How many tokens a request's prompt, its images included, and its answer have."""
    of_images = sum(image["tokens"] for image in call.get("images", ()))
    prompt, sampled = call.get("usage") or (len(call["prompt_tokens"]), len(call["tokens"]))
    return prompt + of_images, sampled


def _sample(
    record: Mapping[str, Any],
    grades: Sequence[Mapping[str, Any]],
    worst: Mapping[str, float | None],
    model: str,
) -> EvalSample:
    status = record["status"]
    messages = [to_chat_message(message) for message in record["messages"]]
    asked = messages if status == "failed" else messages[:-1]
    counts = [_token_counts(call) for call in record["calls"]]
    usage = token_usage(
        sum(prompt for prompt, _ in counts),
        sum(sampled for _, sampled in counts),
    )
    seconds = sum(call["seconds"] for call in record["calls"])
    output = ModelOutput(model=model, usage=usage)
    if status != "failed" and isinstance(messages[-1], ChatMessageAssistant):
        reason: Any = stop_reasons.OF_STATUS.get(status, "stop")
        output = ModelOutput(
            model=model,
            choices=[ChatCompletionChoice(message=messages[-1], stop_reason=reason)],
            usage=usage,
            time=seconds,
            error=record.get("error"),
        )
    target = record["target"]
    if isinstance(target, int):
        target = choice_letter(target)
    return EvalSample(
        id=record["example"],
        epoch=record["index"] + 1,
        input=asked,
        choices=record.get("choices"),
        target=target if target is not None else "",
        messages=messages,
        output=output,
        scores={g["grader"]: _sample_score(g, worst, output.completion) for g in grades},
        metadata=dict(record["metadata"]),
        model_usage={model: usage},
        total_time=seconds,
        working_time=seconds,
        error=_error(record.get("error")) if status == "failed" else None,
    )


def _sample_score(grade: Mapping[str, Any], worst: Mapping[str, float | None], text: str) -> Score:
    metadata = {**grade.get("metadata", {}), "outcome": grade["outcome"]}
    explanation = grade.get("explanation") or grade.get("reason")
    value = grade.get("value")
    if value is None and grade["outcome"] in stop_reasons.OF_STATUS:
        value = worst.get(grade["grader"])
        explanation = explanation or f"{grade['outcome']}: counted as the worst grade"
    answer = grade.get("answer", text)
    if value is None:
        return Score.unscored(
            reason=grade["outcome"], answer=answer, explanation=explanation, metadata=metadata
        )
    return Score(value=value, answer=answer, explanation=explanation, metadata=metadata)


def _total(samples: list[EvalSample]) -> ModelUsage:
    used = [usage for sample in samples for usage in sample.model_usage.values()]
    return token_usage(
        sum(usage.input_tokens for usage in used), sum(usage.output_tokens for usage in used)
    )
