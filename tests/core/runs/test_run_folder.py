from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import proctor
from proctor.runs.finished import FinishedRun
from proctor.runs.folder import RunFolder, new_run_folder
from proctor.runs.json_lines import JsonLines


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_records_are_appended_a_line_each(tmp_path: Path) -> None:
    file = JsonLines(tmp_path / "a.jsonl")
    file.append({"text": "two\nlines \u2028 and \U0001f600"})
    file.append({"n": float("nan"), "half": "\ud83d"})
    file.close()
    assert lines(tmp_path / "a.jsonl") == [
        {"text": "two\nlines \u2028 and \U0001f600"},
        {"n": "nan", "half": "?"},
    ]
    assert (tmp_path / "a.jsonl").read_bytes().count(b"\n") == 2


def test_nothing_is_written_once_it_is_closed(tmp_path: Path) -> None:
    """A record that came late landed in whichever file had got the descriptor by then."""
    file = JsonLines(tmp_path / "a.jsonl")
    file.append({"n": 1})
    file.close()
    other = JsonLines(tmp_path / "b.jsonl")
    with pytest.raises(proctor.RunError, match="its run has ended"):
        file.append({"n": 2})
    file.close()
    other.append({"n": 3})
    other.close()
    assert lines(tmp_path / "a.jsonl") == [{"n": 1}]
    assert lines(tmp_path / "b.jsonl") == [{"n": 3}]


@pytest.mark.parametrize("torn", [b'{"key": 3, "te', b"{", b"x" * 200_000])
def test_a_torn_last_line_is_mended(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"key": 1}\n{"key": 2}\n' + torn)
    file = JsonLines(path)
    file.append({"key": 4})
    file.close()
    assert lines(path) == [{"key": 1}, {"key": 2}, {"key": 4}]


def test_a_file_that_is_one_torn_line_becomes_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"key": 1')
    JsonLines(path).close()
    assert path.read_bytes() == b""


def test_a_disk_that_fills_up_leaves_whole_lines(tmp_path: Path) -> None:
    """The file system's limit stands in for a full disk: the same short write, then an error."""
    script = textwrap.dedent(
        """
        import resource, signal, sys
        from pathlib import Path
        from proctor.errors import RunError
        from proctor.runs.json_lines import JsonLines
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        file = JsonLines(Path(sys.argv[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        try:
            for number in range(1000):
                file.append({"key": number, "text": "x" * 40})
        except RunError as error:
            print(error)
            sys.exit(7)
        """
    )
    path = tmp_path / "a.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 7, done.stderr
    assert "can't write" in done.stdout
    kept = lines(path)
    assert 5 < len(kept) < 20
    assert [record["key"] for record in kept] == list(range(len(kept)))
    assert path.read_bytes().endswith(b"}\n")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


def test_the_last_record_of_a_key_wins(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.describe(status="complete")
    for answer in ("first", "second"):
        folder.sample(
            {"key": "k", "evaluator": "e", "row": 0, "index": 0, "example": "x", "answer": answer}
        )
    folder.grade({"key": "k:f", "sample": "k", "evaluator": "e", "grader": "g", "value": 0.0})
    folder.grade({"key": "k:f", "sample": "k", "evaluator": "e", "grader": "g", "value": 1.0})
    folder.close()
    run = FinishedRun(tmp_path / "run")
    assert [sample["answer"] for sample in run.samples()] == ["second"]
    assert [grade["value"] for grade in run.grades()["e", "k"]] == [1.0]


def test_a_reader_leaves_a_torn_line_out(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.describe(status="running")
    folder.sample({"key": "k", "evaluator": "e", "row": 0, "index": 0})
    folder.close()
    with (tmp_path / "run" / "samples.jsonl").open("ab") as file:
        file.write(b'{"key": "l", "eval')
    assert [s["key"] for s in FinishedRun(tmp_path / "run").samples()] == ["k"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(proctor.ConfigError, match="can't make the folder"):
        RunFolder(tmp_path / "file" / "run")


def test_new_folders_are_never_taken_ones(tmp_path: Path) -> None:
    first = new_run_folder(tmp_path, "my evals/../x")
    assert first.parent == tmp_path
    assert os.sep not in first.name
    assert first.is_dir()
    assert new_run_folder(tmp_path, "my evals/../x") != first


def test_whatever_a_grader_adds_can_be_written(tmp_path: Path) -> None:
    """A grade's metadata that JSON has no form for ended the evaluation."""
    circle: dict[str, object] = {"n": 1}
    circle["again"] = circle
    file = JsonLines(tmp_path / "a.jsonl")
    file.append(
        {
            "vector": np.array([0.5, np.nan]),
            "number": np.float32("nan"),
            "count": np.int64(3),
            "pairs": {("a", "b"): 1, 2: None},
            "set": {7},
            "circle": circle,
        }
    )
    file.close()
    assert lines(tmp_path / "a.jsonl") == [
        {
            "vector": [0.5, "nan"],
            "number": "nan",
            "count": 3,
            "pairs": {"('a', 'b')": 1, "2": None},
            "set": "{7}",
            "circle": {"n": 1, "again": "(itself)"},
        }
    ]


@pytest.mark.parametrize(
    ("file", "where"), [("run.json", "run.json"), ("samples.jsonl", "samples.jsonl:2")]
)
def test_a_damaged_file_is_named(tmp_path: Path, file: str, where: str) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.describe(status="complete")
    folder.sample({"key": "k", "evaluator": "e", "row": 0, "index": 0})
    folder.close()
    with (tmp_path / "run" / file).open("ab") as opened:
        opened.write(b"{]\n")
    with pytest.raises(proctor.ConfigError, match=where):
        list(FinishedRun(tmp_path / "run").samples())
