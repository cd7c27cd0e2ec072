import hashlib
import json

import datasets
import pytest
from pydantic import ValidationError

from proctor import DatasetError, Grader, select
from proctor_datasets.huggingface import HuggingFace
from proctor_datasets.labels import label_reading


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Tables are prepared in the test's own folder, and nothing reaches for the hub."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.fixture
def folder(write):
    """A folder in the layout that the hub's data sets have."""
    test = [{"question": f"Q{n}", "answer": f"A{n}"} for n in range(3)]
    write("data/test.jsonl", "".join(json.dumps(row) + "\n" for row in test))
    write("data/train.jsonl", '{"question": "T", "answer": "U"}\n')
    return write("data/README.md", "---\n---\n").parent


@pytest.fixture
def labelled():
    features = datasets.Features(
        {
            "input": datasets.Value("string"),
            "options": [datasets.Value("string")],
            "target": datasets.ClassLabel(names=["A", "B"]),
        }
    )
    rows = {"input": ["x", "y", "z"], "options": [["no", "yes"]] * 3, "target": [1, 0, -1]}
    return datasets.Dataset.from_dict(rows, features=features)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_split_of_a_folder(folder, streaming):
    dataset = HuggingFace(folder=folder, input="question", target="answer", streaming=streaming)
    examples = list(dataset.examples())
    assert [(e.input, e.target) for e in examples] == [("Q0", "A0"), ("Q1", "A1"), ("Q2", "A2")]
    assert list(dataset.examples()) == examples
    train = HuggingFace(folder=folder, input="question", split="train", streaming=streaming)
    assert [e.input for e in train.examples()] == ["T"]


def test_streaming_changes_no_id(folder):
    def ids(streaming):
        dataset = HuggingFace(folder=folder, input="question", streaming=streaming)
        return [example.id for example in dataset.examples()]

    assert ids(True) == ids(False)


def test_data_files_within_a_folder(folder):
    dataset = HuggingFace(folder=folder, data_files="tr*.jsonl", split="train", input="question")
    assert [e.input for e in dataset.examples()] == ["T"]


@pytest.mark.parametrize("streaming", [False, True])
def test_an_unknown_split_names_those_there_are(folder, streaming):
    dataset = HuggingFace(folder=folder, split="validation", streaming=streaming)
    with pytest.raises(DatasetError) as caught:
        next(dataset.examples())
    message = str(caught.value)
    assert all(word in message for word in ("validation", "test", "train", str(folder)))
    assert "\n" not in message


def test_an_unknown_configuration_is_one_line(folder):
    with pytest.raises(DatasetError) as caught:
        next(HuggingFace(folder=folder, config_name="main").examples())
    assert "main" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_malformed_data_is_one_line(write):
    folder = write("bad/test.jsonl", '{"input": "a"}\nno JSON\n').parent
    with pytest.raises(DatasetError) as caught:
        list(HuggingFace(folder=folder).examples())
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_is_an_error(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="empty"):
        next(HuggingFace(folder=tmp_path / "empty").examples())


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match=r"no folder .*gone"):
        next(HuggingFace(folder=tmp_path / "gone").examples())


def test_a_saved_dataset(labelled, tmp_path):
    labelled.save_to_disk(tmp_path / "saved")
    dataset = HuggingFace(folder=tmp_path / "saved")
    assert [e.input for e in dataset.examples()] == ["x", "y", "z"]
    files = list((tmp_path / "saved").glob("*.arrow"))
    assert dataset.provenance() == {
        str(file): "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    }


def test_a_saved_dataset_with_splits(labelled, tmp_path):
    splits = datasets.DatasetDict({"test": labelled, "train": labelled.select([1])})
    splits.save_to_disk(tmp_path / "saved")
    dataset = HuggingFace(folder=tmp_path / "saved", split="train")
    assert [e.input for e in dataset.examples()] == ["y"]
    with pytest.raises(DatasetError, match=r"no split 'dev'.*its splits: test, train"):
        next(HuggingFace(folder=tmp_path / "saved", split="dev").examples())


def test_class_labels_are_read_as_their_names_and_hidden_ones_as_none(labelled, tmp_path):
    labelled.save_to_disk(tmp_path / "saved")
    plain = HuggingFace(folder=tmp_path / "saved").examples()
    assert [example.target for example in plain] == ["B", "A", None]
    chosen = HuggingFace(folder=tmp_path / "saved", choices="options").examples()
    assert [example.target for example in chosen] == [1, 0, None]


class NeedsTarget(Grader):
    """Compares with the target."""

    def grade(self, example, sample) -> bool:
        return sample.text in example.targets


@pytest.mark.parametrize("choices", [None, "options"])
@pytest.mark.parametrize("limit", [None, 2])
def test_a_split_that_hides_its_labels_is_refused(labelled, tmp_path, choices, limit):
    hidden = labelled.map(lambda row: {"target": -1})
    datasets.DatasetDict({"test": hidden, "train": labelled}).save_to_disk(tmp_path / "saved")
    dataset = HuggingFace(folder=tmp_path / "saved", choices=choices)
    with pytest.raises(DatasetError) as caught:
        select(dataset, [NeedsTarget()], limit=limit)
    message = str(caught.value)
    assert "row 1 (id" in message
    assert "has no target" in message
    assert "the labels of the split 'test' are hidden" in message
    assert "give a 'split'" in message
    assert "\n" not in message


def test_labels_deep_in_a_row_have_their_names(tmp_path):
    label = datasets.ClassLabel(names=["x", "y"])
    features = datasets.Features(
        {
            "input": datasets.Value("string"),
            "list": datasets.List(label),
            "large": datasets.LargeList(label),
            "deep": {"label": label, "other": datasets.Value("int64")},
            "rows": datasets.List({"label": label}),
            "columns": datasets.Sequence({"label": label, "n": datasets.Value("int64")}),
            "nested": datasets.List(datasets.List(label)),
            "numbers": datasets.List(datasets.Value("int64")),
        }
    )
    rows = [
        {
            "input": "Q",
            "list": [0, 1],
            "large": [1],
            "deep": {"label": 1, "other": -1},
            "rows": [{"label": 0}, {"label": -1}],
            "columns": {"label": [1, -1], "n": [-1, 0]},
            "nested": [[0], [1, 0]],
            "numbers": [-1, 0],
        },
        {
            "input": "R",
            "list": [-1, -1],
            "large": [],
            "deep": {"label": -1, "other": 1},
            "rows": [],
            "columns": {"label": [], "n": []},
            "nested": [],
            "numbers": [],
        },
    ]
    datasets.Dataset.from_list(rows, features=features).save_to_disk(tmp_path / "saved")
    first, second = (row for _, row in HuggingFace(folder=tmp_path / "saved").read_rows())
    assert first == {
        "input": "Q",
        "list": ["x", "y"],
        "large": ["y"],
        "deep": {"label": "y", "other": -1},
        "rows": [{"label": "x"}, {"label": None}],
        "columns": {"label": ["y", None], "n": [-1, 0]},
        "nested": [["x"], ["y", "x"]],
        "numbers": [-1, 0],
    }
    assert (second["list"], second["large"], second["deep"]["label"]) == (None, [], None)
    targets = HuggingFace(folder=tmp_path / "saved", target="list").examples()
    assert [example.targets for example in targets] == [["x", "y"], []]


def test_a_sequence_of_mappings_is_read_in_either_form():
    label = datasets.ClassLabel(names=["x", "y"])
    reading = label_reading([{"label": label, "n": datasets.Value("int64")}])
    assert reading({"label": [1, -1], "n": [-1, 0]}, "row 1") == {
        "label": ["y", None],
        "n": [-1, 0],
    }
    assert reading([{"label": 1, "n": -1}], "row 1") == [{"label": "y", "n": -1}]
    assert label_reading([datasets.Value("int64")]) is None


def test_a_label_without_a_name_is_an_error():
    reading = label_reading(datasets.ClassLabel(names=["x", "y"]))
    with pytest.raises(DatasetError, match="row 7: no label 2 among 2"):
        reading(2, "row 7")


def test_provenance_of_a_folder_is_its_files(folder):
    provenance = HuggingFace(folder=folder).provenance()
    digest = hashlib.sha256((folder / "test.jsonl").read_bytes()).hexdigest()
    assert provenance[str(folder / "test.jsonl")] == f"sha256:{digest}"


def test_without_a_network_the_error_says_what_to_do():
    with pytest.raises(DatasetError) as caught:
        next(HuggingFace(repo="openai/gsm8k", config_name="main").examples())
    message = str(caught.value)
    assert message.startswith("openai/gsm8k (test): can't reach the hub")
    assert "hf download --repo-type dataset openai/gsm8k" in message
    assert "'folder: DIR'" in message
    assert "\n" not in message


def test_a_folder_with_the_name_of_a_repository_is_not_read_for_it(write, tmp_path, monkeypatch):
    write("openai/gsm8k/test.jsonl", '{"input": "not the hub\'s"}\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match="also a folder here"):
        next(HuggingFace(repo="openai/gsm8k").examples())


def test_what_streams_from_the_hub_is_not_cheap_to_read(folder):
    assert not HuggingFace(repo="a/b", streaming=True).is_cheap_to_read
    assert HuggingFace(repo="a/b").is_cheap_to_read
    assert HuggingFace(folder=folder, streaming=True).is_cheap_to_read


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"repo": "a/b", "folder": "c"},
        {"repo": "./data"},
        {"repo": "../a/b"},
        {"repo": "hf://datasets/a/b"},
        {"repo": "a/b/c"},
        {"folder": "c", "revision": "main"},
    ],
)
def test_wrong_options_are_refused_at_once(options):
    with pytest.raises(ValidationError):
        HuggingFace(**options)


async def test_close_lets_go_and_reading_opens_again(folder):
    dataset = HuggingFace(folder=folder, input="question")
    first = list(dataset.examples())
    await dataset.close()
    assert list(dataset.examples()) == first
