"""Rows that stand in a config are read as they are written there."""

import pytest

from proctor import load_config


@pytest.fixture
def rows(tmp_path):
    """The examples of the rows that stand in a config."""

    def run(text, options=""):
        (tmp_path / "grader.py").write_text(
            "def accept(response: str, target: str) -> bool:\n    return True\n", "utf-8"
        )
        lines = "".join(f"    - {line}\n" for line in text.splitlines())
        file = tmp_path / "evals.yaml"
        file.write_text(
            "evaluators:\n- name: e\n  graders: [grader.py:accept]\n"
            f"  dataset:\n    type: inline\n{options}    rows:\n{lines}",
            "utf-8",
        )
        return list(load_config(file).evaluators[0].evaluator.dataset.examples())

    return run


@pytest.mark.parametrize(
    "text",
    [
        *["016", "01234", "NO", "no", "off", "12:30", "1.10", "1e3", "0x1F", "0o7", "1_000"],
        *["4.0", "+5", "-0", ".5", ".inf", "2024-05-03", "True", "false", "14", "-3", "0.5"],
    ],
)
def test_the_text_is_what_was_written(rows, text):
    (example,) = rows(
        f"{{id: {text}, input: {text}, target: {text}, metadata: {{v: {text}}}, extra: {text}}}",
        "    metadata: [extra]\n",
    )
    assert (example.id, example.input, example.target) == (text, text, text)
    for kept in (example.metadata["v"], example.metadata["extra"]):
        # a number or a boolean in the metadata stays one where it is written like one
        assert kept == text or (text, kept) in [
            *[("True", True), ("false", False), ("14", 14), ("-3", -3), ("0.5", 0.5)]
        ]


def test_several_targets_and_options_are_what_was_written(rows):
    (example,) = rows("{input: Q, target: [016, NO, 1.10]}")
    assert example.targets == ["016", "NO", "1.10"]
    (example,) = rows("{input: Q, choices: [yes, no, True, 010], target: no}")
    assert example.choices == ("yes", "no", "True", "010")
    assert example.target == 1


def test_a_plain_number_is_an_index_as_before(rows):
    (example,) = rows("{input: Q, choices: [yes, no], target: 1}")
    assert example.targets == ["no"]


def test_a_template_takes_what_was_written(rows):
    (example,) = rows("{hour: 12:30, code: 007}", "    template: 'At {hour}, {code}?'\n")
    assert example.input == "At 12:30, 007?"
