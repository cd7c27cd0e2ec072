"""A run written as Inspect's logs, as Inspect itself reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from inspect_ai.analysis import evals_df, samples_df
from inspect_ai.log import EvalLog, read_eval_log

HERE = Path(__file__).parent

ANSWERS = {
    "France": "Paris.",
    "Germany": "Bonn.",
    "Italy": "CUT",
    "Peru": "FAIL",
    "Kenya": "broken",
}


@pytest.fixture
def finished_run(command_line, tmp_path):
    """A run with a right, a wrong, a cut-off, a failed and an ungraded answer; Chile's is right."""
    config = {
        "model": {"backend": "scripted", "answers": {**ANSWERS, "Chile": "Santiago"}},
        "renderer": "role_colon",
        "sampling": {"max_tokens": 20},
        "min_coverage": 0.5,
        "evaluators": [
            {
                "name": "capitals",
                "dataset": {"type": f"{HERE / 'capitals.py'}:Capitals"},
                "graders": [f"{HERE / 'capitals.py'}:Contains"],
            }
        ],
    }
    (tmp_path / "evals.yaml").write_text(json.dumps(config))
    printed = command_line("run", "evals.yaml", "--out", "run")
    assert printed.code == 0, printed.err
    return tmp_path / "run"


@pytest.fixture
def log(finished_run, command_line) -> EvalLog:
    printed = command_line("export", "run", "--to", "inspect")
    assert printed.code == 0, printed.err
    return read_eval_log(printed.out.strip())


def results_of(run):
    return json.loads((run / "results.json").read_text())


def test_the_log_has_the_runs_own_figures(log, finished_run):
    (grader,) = results_of(finished_run)["evaluators"]["capitals"]["graders"]
    (score,) = log.results.scores
    assert log.status == "success"
    for name in ("score", "stderr", "ci_low", "ci_high", "coverage"):
        assert score.metrics[name].value == pytest.approx(grader[name])
    # France and Chile are right of the four that count: Italy's cut-off answer is one of them
    assert score.metrics["score"].value == 0.5
    assert (score.scored_samples, score.unscored_samples) == (4, 2)


def test_each_sample_is_what_became_of_it(log):
    samples = {sample.id: sample for sample in log.samples}
    assert set(samples) == {"france", "germany", "italy", "peru", "kenya", "chile"}
    scores = {known: sample.scores.get("Contains") for known, sample in samples.items()}
    assert scores["france"].value == 1.0
    assert scores["germany"].value == 0.0
    assert scores["france"].answer == "Paris."
    assert samples["france"].target == "Paris"
    assert samples["france"].messages[0].text == "Capital of France?"
    assert samples["italy"].output.stop_reason == "max_tokens"
    assert scores["italy"].value == 0.0
    assert "truncated" in scores["italy"].explanation
    assert "no such model" in samples["peru"].error.message
    assert scores["peru"].value != scores["peru"].value  # NaN: Inspect's word for unscored
    assert scores["kenya"].reason == "ungraded"
    assert "the grader broke" in scores["kenya"].explanation


def test_inspects_dataframes_read_it(log, tmp_path):
    folder = str(tmp_path / "run" / "inspect-logs")
    frame = evals_df(folder)
    assert frame["score_headline_value"].tolist() == [0.5]
    assert frame["total_samples"].tolist() == [6]
    samples = samples_df(folder).set_index("id")
    assert samples.loc["france", "score_Contains"] == 1.0
    assert samples.loc["peru", "error"]


def test_metrics_computed_anew_by_inspect_agree(log):
    """Inspect's own mean over the exported values is the run's score."""
    values = [sample.scores["Contains"].value for sample in log.samples]
    scored = [value for value in values if value == value]
    assert sum(scored) / len(scored) == log.results.scores[0].metrics["score"].value


def test_a_withheld_score_is_no_metric(command_line, finished_run):
    config = json.loads((finished_run.parent / "evals.yaml").read_text())
    config["min_coverage"] = 0.95
    (finished_run.parent / "strict.yaml").write_text(json.dumps(config))
    assert command_line("run", "strict.yaml", "--out", "strict").code == 1
    printed = command_line("export", "strict", "--to", "inspect", "--format", "json")
    log = read_eval_log(printed.out.strip())
    assert log.status == "error"
    assert "min_coverage" in log.error.message
    assert set(log.results.scores[0].metrics) == {"coverage"}


@pytest.mark.parametrize("run", ["nothing", "empty"])
def test_what_is_no_run_is_one_line(command_line, tmp_path, run):
    (tmp_path / "empty").mkdir()
    printed = command_line("export", run, "--to", "inspect")
    assert printed.code == 2
    assert printed.err.count("\n") == 1
    assert "no run's folder" in printed.err
