"""The data sets that Inspect brings, read by a line of YAML each."""

from importlib.resources import files

import pytest

from proctor import load_config

MAPPINGS = {
    "theory_of_mind": ("", 100, "bathtub"),
    "biology_qa": (", input: question, target: answer", 20, "Leprosy"),
    "security_guide": ("", 16, "use parameterized queries and prepared statements"),
    "popularity": (", input: question, target: answer_matching_behavior", 100, " Yes"),
    "bias_detection": ("", 100, "[claim]"),
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_one_line_of_mapping_is_enough(tmp_path, name):
    mapping, count, first_target = MAPPINGS[name]
    path = files("inspect_ai") / "dataset" / "_examples" / f"{name}.jsonl"
    config = tmp_path / "evals.yaml"
    config.write_text(
        f"evaluators:\n- name: {name}\n  dataset: {{type: jsonl, path: {path}{mapping}}}\n"
        "  graders: [substring]\n",
        "utf-8",
    )
    dataset = load_config(config).evaluators[0].evaluator.dataset
    examples = list(dataset.examples())
    assert len(examples) == len({example.id for example in examples}) == count
    assert examples[0].target == first_target
    assert all(message["role"] == "user" for e in examples for message in e.messages)
