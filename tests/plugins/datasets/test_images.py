"""Rows with images: where they come from, and where they stand in the question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pytest
from pyarrow import parquet

import proctor
from proctor import DatasetError
from proctor_datasets.huggingface import HuggingFace
from proctor_datasets.inline import Inline
from proctor_datasets.jsonl import Jsonl
from proctor_datasets.parquet import Parquet

CAT, DOG = b"GIF89a cat", b"GIF89a dog"


def shown(example: proctor.Example) -> list[Any]:
    """The parts of an example's messages: text as it is, images as their bytes."""
    return [
        part["text"] if part["type"] == "text" else proctor.read_image(part["image"]).data  # type: ignore[index]
        for message in example.messages
        for part in (
            [{"type": "text", "text": message["content"]}]
            if isinstance(message["content"], str)
            else message["content"]
        )
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cat.gif").write_bytes(CAT)
    (tmp_path / "pictures" / "dog.gif").write_bytes(DOG)
    return tmp_path


@pytest.fixture
def jsonl(folder: Path) -> Any:
    """Examples of a file of rows: ``jsonl([row, ...], option=...)``."""

    def read(rows: list[dict[str, Any]], **options: Any) -> list[proctor.Example]:
        file = folder / "rows.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return list(Jsonl(path=file, **options).examples())

    return read


def test_paths_begin_at_the_file_s_folder(jsonl: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir("/")
    (example,) = jsonl([{"input": "What?", "image": "pictures/cat.gif", "target": "cat"}])
    assert shown(example) == [CAT, "What?"]
    (image, _) = example.messages[0]["content"]
    assert image["image"].name == "pictures/cat.gif"


def test_or_at_the_folder_that_is_named(jsonl: Any, folder: Path) -> None:
    (example,) = jsonl([{"input": "?", "image": "cat.gif"}], image_folder=folder / "pictures")
    assert shown(example) == [CAT, "?"]


@pytest.mark.parametrize(
    "columns",
    [
        {"images": ["pictures/cat.gif", "pictures/dog.gif"]},
        {"images": [{"path": "pictures/cat.gif", "bytes": None}, {"path": "pictures/dog.gif"}]},
        {"image": "pictures/cat.gif", "images": "pictures/dog.gif"},
    ],
)
def test_columns_of_these_names_need_no_mapping(jsonl: Any, columns: Any) -> None:
    (example,) = jsonl([{"input": "Which?", **columns}])
    assert shown(example) == [CAT, DOG, "Which?"]


def test_named_columns_are_shown_in_that_order_and_nulls_are_none(jsonl: Any) -> None:
    row = {"input": "?", "a": "pictures/cat.gif", "b": "pictures/dog.gif", "c": None}
    (example,) = jsonl([row], images=["c", "b", "a"])
    assert shown(example) == [DOG, CAT, "?"]
    (example,) = jsonl([row], images="a")
    assert shown(example) == [CAT, "?"]
    (example,) = jsonl([{**row, "a": None}], images="a")
    assert example.input == "?"


def test_none_is_shown_where_the_config_says_so(jsonl: Any) -> None:
    (example,) = jsonl([{"input": "?", "image": "not even there.gif"}], images=[])
    assert example.input == "?"


def test_places_in_a_conversation_are_filled_in_order(jsonl: Any) -> None:
    place = {"type": "image"}
    messages = [
        {"role": "system", "content": "Look."},
        {"role": "user", "content": [{"type": "text", "text": "This: "}, place]},
        {"role": "assistant", "content": "A cat."},
        {"role": "user", "content": [place, {"type": "text", "text": "and this?"}]},
    ]
    row = {"input": messages, "images": ["pictures/cat.gif", "pictures/dog.gif"]}
    (example,) = jsonl([row])
    assert shown(example) == ["Look.", "This: ", CAT, "A cat.", DOG, "and this?"]
    for images in (["pictures/cat.gif"], ["pictures/cat.gif"] * 3, None):
        with pytest.raises(DatasetError, match=r"rows.jsonl:1: .* 2 places for images, and the"):
            jsonl([{**row, "images": images}])


def test_without_places_they_come_first_in_the_user_s_first_message(jsonl: Any) -> None:
    messages = [
        {"role": "system", "content": "Look."},
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Two?"},
    ]
    (example,) = jsonl([{"input": messages, "image": "pictures/dog.gif"}])
    assert shown(example) == ["Look.", DOG, "One?", "Yes.", "Two?"]
    with pytest.raises(DatasetError, match="no message of a user"):
        jsonl([{"input": messages[:1], "image": "pictures/dog.gif"}])


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image", "image": "pictures/cat.gif"},
        {"type": "image", "image": {"path": "pictures/cat.gif", "bytes": None}},
        {"type": "image", "image": "data:image/gif,GIF89a%20cat"},
        {"type": "image_url", "image_url": {"url": "data:image/gif,GIF89a%20cat"}},
        # as a Parquet file has it, where each part has the keys of any
        {"type": "image", "text": None, "image": "pictures/cat.gif"},
    ],
)
def test_images_in_a_conversation(jsonl: Any, part: Any) -> None:
    asked = {"role": "user", "content": [{"type": "text", "text": "What?"}, part]}
    (example,) = jsonl([{"input": [asked]}])
    assert shown(example) == ["What?", CAT]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("pictures/bird.gif", r"rows.jsonl:2: image: can't read the image .*bird.gif: No such"),
        ("rows.jsonl", r"rows.jsonl:2: image: .*rows.jsonl is no image that begins as PNG"),
        ("https://example.org/a.png", r"rows.jsonl:2: image: .* is on the network; download it"),
        (5, "rows.jsonl:2: image: a int is no image"),
    ],
)
def test_a_bad_image_is_one_line_before_anything_is_asked(
    jsonl: Any, value: Any, complaint: str
) -> None:
    good = {"input": "?", "image": "pictures/cat.gif"}
    with pytest.raises(DatasetError, match=complaint) as raised:
        jsonl([good, {"input": "?", "image": value}])
    assert "\n" not in str(raised.value)


def test_a_relative_path_in_a_config_needs_a_folder(folder: Path) -> None:
    rows = [{"input": "?", "image": "pictures/cat.gif"}]
    with pytest.raises(DatasetError, match=r"row 1: image: .*say with 'image_folder' where"):
        list(Inline(rows=rows, image_folder=None).examples())
    (example,) = Inline(rows=rows, image_folder=folder).examples()
    assert shown(example) == [CAT, "?"]


def test_rows_that_differ_in_their_image_alone_have_ids_of_their_own(jsonl: Any) -> None:
    rows = [{"input": "?", "image": f"pictures/{name}.gif"} for name in ("cat", "dog", "cat")]
    first, second, third = (example.id for example in jsonl(rows))
    assert len({first, second, third}) == 3
    assert third == f"{first}-2"


def test_a_parquet_file_in_the_hub_s_form(folder: Path) -> None:
    rows = [
        {"question": "First?", "picture": {"bytes": CAT, "path": "cat.gif"}},
        {"question": "Second?", "picture": {"bytes": DOG, "path": None}},
    ]
    file = folder / "rows.parquet"
    parquet.write_table(pa.Table.from_pylist(rows), file)
    first, second = Parquet(path=file, input="question", images="picture").examples()
    assert (shown(first), shown(second)) == ([CAT, "First?"], [DOG, "Second?"])
    assert first.id != second.id


def test_an_image_that_no_option_names_is_an_error(folder: Path) -> None:
    """A question about a picture that nobody is shown has a score that means nothing."""
    rows = [{"input": "What?", "picture": {"bytes": CAT, "path": "cat.gif"}}]
    file = folder / "rows.parquet"
    parquet.write_table(pa.Table.from_pylist(rows), file)
    with pytest.raises(DatasetError, match=r"'picture' holds an image, which .* would not show"):
        list(Parquet(path=file).examples())
    (example,) = Parquet(path=file, images=[]).examples()
    assert example.input == "What?"


@pytest.mark.parametrize("is_list", [False, True])
def test_a_dataset_of_hugging_face_s(
    folder: Path, is_list: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its images are read as the files that they are, without the library that decodes them."""
    monkeypatch.setattr(datasets.config, "PIL_AVAILABLE", False)
    cat = {"bytes": CAT, "path": "cat.gif"}
    dog = {"bytes": None, "path": str(folder / "pictures" / "dog.gif")}
    feature: Any = datasets.Image()
    values: Any = [cat, dog]
    if is_list:
        feature, values = datasets.List(feature), [[cat, dog], [cat]]
    features = datasets.Features({"input": datasets.Value("string"), "image": feature})
    table = pa.table({"input": ["a?", "b?"], "image": values}, schema=features.arrow_schema)
    made = datasets.Dataset(table, info=datasets.DatasetInfo(features=features))
    made.save_to_disk(str(folder / "saved"))
    first, second = HuggingFace(folder=folder / "saved").examples()
    assert shown(first) == ([CAT, DOG, "a?"] if is_list else [CAT, "a?"])
    assert shown(second) == ([CAT, "b?"] if is_list else [DOG, "b?"])
