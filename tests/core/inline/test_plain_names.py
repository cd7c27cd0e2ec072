"""Names of metrics that every tracker takes."""

from __future__ import annotations

import itertools
import posixpath
import re
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor.inline.plain_names import plain_name


def is_taken(name: str) -> bool:
    """MLflow's rule, of its versions that know no colon: letters, and a path's one form."""
    norm = posixpath.normpath(name)
    resolves = norm != name or norm == "." or norm.startswith(("..", "/"))
    return re.fullmatch(r"[/\w.\- ]+", name) is not None and not resolves


def read_back(plain: str) -> str:
    """The name that a plain one stands for."""

    def mark(match: re.Match[str]) -> str:
        return {"at": "@", "is": "="}.get(match[1]) or chr(int(match[1][1:], 16))

    return re.sub(r"_(at|is|x[0-9a-f]+)_", mark, plain)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("qa/substring/score", "qa/substring/score"),
        ("qa/substring/ci_low", "qa/substring/ci_low"),
        ("qa/substring/pass@4", "qa/substring/pass_at_4"),
        ("qa/g/metadata.subject=law/score", "qa/g/metadata.subject_is_law/score"),
        ("qa/g/metadata.subject=(missing)/n", "qa/g/metadata.subject_is__x28_missing_x29_/n"),
        ("qa/g/metadata.a=x%2Fy/n", "qa/g/metadata.a_is_x_x25_2Fy/n"),
        ("a:b,c/score", "a_x3a_b_x2c_c/score"),
        ("qa/pass_at_4", "qa/pass_x5f_at_4"),
        ("qa/what_is_it", "qa/what_x5f_is_it"),
        ("qa/is_it_at", "qa/is_it_at"),
        ("qa/größe", "qa/größe"),
        ("../a", "_x2e__x2e_/a"),
        ("/a//b/", "_x2f_a/_x2f_b_x2f_"),
        ("a\nb", "a_xa_b"),
    ],
)
def test_plain_names(name: str, plain: str) -> None:
    assert plain_name(name) == plain
    assert is_taken(plain)


def test_two_names_never_become_one() -> None:
    letters = ["_", "@", "=", "at", "is", "x", "a", "x5f", "/", ".", ","]
    names = {
        "".join(parts)
        for count in range(1, 6)
        for parts in itertools.product(letters, repeat=count)
    }
    plain = {name: plain_name(name) for name in names}
    assert len(set(plain.values())) == len(names)
    assert all(read_back(found) == name for name, found in plain.items())
    assert all(map(is_taken, plain.values()))


@pytest.mark.parametrize("mode", ["foreground", "background"])
async def test_what_training_gets_and_what_is_kept(
    mode: Any, model: Any, numbers: Any, tmp_path: Path
) -> None:
    options = {"num_samples": 2, "sampling": proctor.SamplingOptions(temperature=1.0)}
    evaluators = [numbers(**options, by=["metadata.subject"])]
    evals = proctor.InlineEvaluations(
        evaluators, eval_every=1, mode=mode, metric_names="plain", log_path=tmp_path
    )
    await evals.step(0, training_client=model)
    await evals.finish()
    [(_, metrics)] = evals.arrived()
    assert "numbers/Contains/pass_at_2" in metrics
    assert any("subject_is_" in name for name in metrics)
    assert all(map(is_taken, metrics))
    results = proctor.FinishedRun(tmp_path / "evaluations" / "step-000000").results()
    assert results is not None
    assert "numbers/Contains/pass@2" in results["metrics"]
    assert {plain_name(name) for name in results["metrics"]} == set(metrics)


async def test_builders_and_what_needs_the_training_client(
    model: Any, numbers: Any, loss: Any
) -> None:
    options = {"num_samples": 2, "sampling": proctor.SamplingOptions(temperature=1.0)}
    config = {"evaluators": [numbers(**options)], "inline": {"metric_names": "plain"}}
    (builder,) = proctor.evaluator_builders(config)
    assert "numbers/Contains/pass_at_2" in await builder()(model.client_of(3))
    entry = {"evaluators": [loss], "inline": {"metric_names": "plain"}}
    evals = proctor.InlineEvaluations(entry, eval_every=1)
    assert await evals.step(0, training_client=model) == {"Loss/loss": 10.0}
