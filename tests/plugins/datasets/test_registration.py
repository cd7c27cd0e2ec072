import pytest

import proctor_datasets
from proctor import ConfigError, DatasetError, load_config


class Names:
    def __init__(self):
        self.targets = {}

    def dataset(self, name, target):
        self.targets[name] = target


def test_every_dataset_has_its_name():
    names = Names()
    proctor_datasets.proctor_register(names)
    assert set(names.targets) == {"inline", "jsonl", "csv", "parquet", "huggingface"}
    assert all(isinstance(target, str) for target in names.targets.values())


@pytest.fixture
def load(tmp_path):
    """The dataset that a few lines of YAML compose, in a config of the test's folder."""

    def run(lines):
        grader = "def accept(response: str, target: str) -> bool:\n    return True\n"
        (tmp_path / "grader.py").write_text(grader, "utf-8")
        config = tmp_path / "evals.yaml"
        config.write_text(
            f"evaluators:\n- name: e\n  graders: [grader.py:accept]\n  dataset: {lines}\n",
            "utf-8",
        )
        return load_config(config).evaluators[0].evaluator.dataset

    return run


def test_a_relative_path_is_read_against_the_configs_folder(load, write, monkeypatch):
    write("sub/a.jsonl", '{"input": "a"}')
    assert next(load("{type: jsonl, path: sub/a.jsonl}").examples()).input == "a"


def test_wildcards_work_from_a_config(load, write):
    write("sub/a.jsonl", '{"input": "a"}')
    assert next(load("{type: jsonl, path: 'sub/*.jsonl'}").examples()).input == "a"


def test_a_folder_is_read_against_the_configs_folder(load, tmp_path):
    assert load("{type: huggingface, folder: data}").folder == tmp_path / "data"
    assert load("{type: huggingface, repo: openai/gsm8k}").repo == "openai/gsm8k"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("{type: jsonl}", "'path'"),
        ("{type: jsonl, path: a.jsonl, inptu: q}", "did you mean 'input'"),
        ("{type: jsonl, path: a.jsonl, template: '{a'}", "a lone '{' in the template"),
        ("{type: jsonl, path: a.jsonl, input: a, template: '{a}'}", "keep one"),
        ("{type: jsonl, path: a.jsonl, target_is: number}", "'index', 'index_from_1'"),
        ("{type: csv, path: a.csv, delimiter: ''}", "delimiter"),
        ("{type: huggingface}", "'repo'"),
        ("{type: inline, rows: []}", "rows"),
        ("{type: inline, rows: [a]}", "rows"),
    ],
)
def test_a_wrong_option_is_one_line_with_its_place(load, lines, message):
    with pytest.raises(ConfigError) as caught:
        load(lines)
    assert message in str(caught.value)
    assert "evals.yaml:" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_errors_of_rows_come_when_they_are_read(load, write):
    write("a.jsonl", '{"input": "a"}\nx\n')
    dataset = load("{type: jsonl, path: a.jsonl}")
    with pytest.raises(DatasetError, match=r"a\.jsonl:2: no JSON"):
        list(dataset.examples())
