"""``proctor judge calibrate``, as a person runs it."""

from __future__ import annotations

import json

import pytest

JUDGED = [
    *({"label": True, "verdict": True} for _ in range(90)),
    *({"label": True, "verdict": False} for _ in range(10)),
    *({"label": False, "verdict": False} for _ in range(70)),
    *({"label": False, "verdict": True} for _ in range(30)),
    *({"label": False, "verdict": None} for _ in range(3)),
]


def write(tmp_path, rows):
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (tmp_path / "labels.jsonl").write_text("\n".join(lines) + "\n")


def test_figures_of_verdicts_that_were_given(command_line, tmp_path):
    write(tmp_path, JUDGED)
    printed = command_line("judge", "calibrate", "labels.jsonl", "--json")
    assert printed.code == 0, printed.err
    figures = json.loads(printed.out)
    assert figures["sensitivity"]["value"] == 0.9
    assert figures["specificity"]["value"] == 0.7
    assert figures["accuracy"]["value"] == 0.8
    assert figures["kappa"]["value"] == pytest.approx(0.6)
    assert (figures["labels"], figures["unreadable"]) == (200, 3)
    shown = command_line("judge", "calibrate", "labels.jsonl", "--out", "c.json").out
    assert "sensitivity  0.900 [0.826, 0.945]  n=100" in shown
    assert "no usable verdict: 3" in shown
    assert json.loads((tmp_path / "c.json").read_text())["true_positives"] == 90


JUDGE_CONFIG = {
    "plugins": ["./parts.py"],
    "evaluators": [
        {
            "name": "qa",
            "dataset": {"type": "./parts.py:Nothing"},
            "graders": [{"type": "llm_judge", "judge": {"backend": "fixed"}}],
        }
    ],
}

PARTS = """
import proctor


class Fixed(proctor.ChatModel):
    identity = proctor.ModelIdentity("fixed", "judge", digest="1")

    async def generate(self, messages, sampling, n=1, *, schema=None):
        said = str(messages[0]["content"])
        text = "VERDICT: " + ("CORRECT" if "yes" in said.split("<answer")[-1] else "INCORRECT")
        text = "what?" if "riddle" in said else text
        answer = proctor.Message(role="assistant", content=text)
        return [proctor.Sample("", 0, "complete", [*messages, answer], [])]


class FixedBackend(proctor.Backend):
    async def open_chat_model(self, renderer=None, *, request_timeout=0.0):
        return Fixed()


class Nothing(proctor.Dataset):
    def examples(self):
        yield proctor.Example("a", "?", "b")


@proctor.hookimpl
def proctor_register(registry):
    registry.backend("fixed", FixedBackend)
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / "parts.py").write_text(PARTS)
    (tmp_path / "evals.yaml").write_text(json.dumps(JUDGE_CONFIG))
    return "evals.yaml"


def test_a_configs_judge_grades_the_answers(command_line, tmp_path, config):
    row = {"input": "?", "target": "yes"}
    write(
        tmp_path,
        [
            {**row, "answer": "yes", "label": True},
            {**row, "answer": "yes, yes", "label": False},
            {**row, "answer": "no", "label": False},
            {**row, "answer": "a riddle", "label": True},
        ],
    )
    printed = command_line("judge", "calibrate", "labels.jsonl", "--config", config, "--json")
    assert printed.code == 0, printed.err
    figures = json.loads(printed.out)
    counts = ("true_positives", "false_negatives", "true_negatives", "false_positives")
    assert [figures[name] for name in counts] == [1, 0, 1, 1]
    assert figures["unreadable"] == 1
    assert figures["judge"]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (["{"], "labels.jsonl:1: no JSON"),
        (
            [{"label": True, "verdict": True}, {"verdict": True}],
            "labels.jsonl:2: it has no 'label'",
        ),
        ([{"label": "yes", "verdict": True}], "'label' is true or false, not 'yes'"),
        ([{"label": True, "verdict": "C"}], "'verdict' is true, false, or null"),
        ([{"label": True}], "give --config"),
        ([{"label": True, "verdict": True, "grade": 1}], "unknown key 'grade'"),
        ([], "there are no labels"),
    ],
)
def test_a_broken_file_is_one_line_with_its_place(command_line, tmp_path, rows, complaint):
    write(tmp_path, rows)
    printed = command_line("judge", "calibrate", "labels.jsonl")
    assert printed.code == 2
    assert complaint in printed.err
    assert printed.err.count("\n") == 1


def test_a_calibration_that_can_correct_nothing_is_not_written(command_line, tmp_path):
    write(tmp_path, [{"label": True, "verdict": True}])
    printed = command_line("judge", "calibrate", "labels.jsonl", "--out", "c.json")
    assert printed.code == 2
    assert "no label of the calibration says wrong" in printed.err
    assert not (tmp_path / "c.json").exists()


def test_a_config_without_such_a_judge_is_said(command_line, tmp_path, config):
    write(tmp_path, [{"input": "?", "answer": "yes", "target": "yes", "label": True}])
    other = command_line(
        "judge", "calibrate", "labels.jsonl", "--config", config, "--evaluator", "others"
    )
    assert "no llm_judge in the evaluator 'others'" in other.err
    changed = json.loads(json.dumps(JUDGE_CONFIG))
    changed["evaluators"][0]["graders"][0]["rubric"] = "scale"
    (tmp_path / "evals.yaml").write_text(json.dumps(changed))
    scaled = command_line("judge", "calibrate", "labels.jsonl", "--config", config)
    assert "only a judge that says right or wrong" in scaled.err
    changed["evaluators"][0]["graders"][0] = {"type": "llm_judge", "judge": "self"}
    (tmp_path / "evals.yaml").write_text(json.dumps(changed))
    own = command_line("judge", "calibrate", "labels.jsonl", "--config", config)
    assert "the judge is the model under evaluation" in own.err
