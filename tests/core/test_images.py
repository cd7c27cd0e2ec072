"""Images in messages: every form that one may have, and what is none."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

import proctor
from proctor import DatasetError, read_image

GIF = b"GIF89a a picture"
HEADS = {
    "png": b"\x89PNG\r\n\x1a\n....",
    "jpeg": b"\xff\xd8\xff\xe0....",
    "gif": GIF,
    "bmp": b"BM......",
    "webp": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a b.gif"
    path.write_bytes(GIF)
    return path


@pytest.mark.parametrize("image_format", HEADS)
def test_its_first_bytes_say_its_format(image_format: str) -> None:
    assert read_image(HEADS[image_format]).format == image_format


def test_every_form_gives_the_same_image(file: Path) -> None:
    encoded = base64.b64encode(GIF).decode()
    forms: list[Any] = [
        GIF,
        bytearray(GIF),
        memoryview(GIF),
        file,
        str(file),
        file.as_uri(),
        f"file:{str(file).replace(' ', '%20')}",
        f"data:image/gif;base64,{encoded}",
        "data:image/gif,GIF89a%20a%20picture",
        f"data:;base64,{encoded}",
        {"bytes": GIF, "path": None},
        {"bytes": GIF, "path": "elsewhere.gif"},
        {"bytes": None, "path": str(file)},
        {"path": str(file)},
        proctor.Image(GIF, "gif"),
    ]
    for form in forms:
        image = read_image(form)
        assert (image.data, image.format) == (GIF, "gif"), form
    assert {read_image(form).digest for form in forms} == {
        f"sha256:{hashlib.sha256(GIF).hexdigest()}"
    }
    assert {read_image(form).data_uri for form in forms} == {f"data:image/gif;base64,{encoded}"}


def test_its_name_is_what_the_dataset_calls_it(file: Path) -> None:
    assert read_image(file.name, folder=file.parent).name == file.name
    assert read_image({"bytes": GIF, "path": "in/an archive.gif"}).name == "in/an archive.gif"
    assert read_image(GIF).name is None


def test_a_relative_path_is_read_against_the_folder_only(file: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(file.parent)
    assert read_image(file.name).data == GIF
    (file.parent / "inner").mkdir()
    with pytest.raises(DatasetError, match="can't read the image"):
        read_image(file.name, folder=file.parent / "inner")
    assert read_image(str(file), folder=file.parent / "inner").data == GIF


def test_in_memory_it_no_longer_changes_with_its_file(file: Path) -> None:
    lazy, kept = read_image(file), read_image(file).in_memory()
    file.write_bytes(GIF + b"!")
    assert (lazy.data, kept.data) == (GIF + b"!", GIF)
    file.unlink()
    with pytest.raises(DatasetError, match=r"can't read the image .* No such file"):
        _ = lazy.data
    assert kept.digest == read_image(GIF).digest


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("https://example.org/cat.png", "is on the network; download it first"),
        ("HTTP://example.org/cat.png", "is on the network"),
        ("s3://bucket/cat.png", "is on the network"),
        ("no-such.png", "can't read the image .*no-such.png: No such file"),
        ("a\x00b.png", "can't read the image"),
        (".", "can't read the image"),
        ("", "can't read the image"),
        ("data:image/png;base64,!!", "is no data: URI"),
        ("data:image/png;base64", "is no data: URI: it has no comma"),
        ("data:image/png;base64,", "begins as PNG, JPEG, GIF, BMP or WebP"),
        ("data:text/html,<script>", "begins as PNG, JPEG, GIF, BMP or WebP"),
        (b"", "of 0 bytes is no image"),
        (b"%PDF-1.7", "of 8 bytes is no image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is no image that begins as"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "is no image that begins as"),
        (None, "a NoneType is no image"),
        (5, "a int is no image"),
        ({}, "a dict is no image"),
        ({"bytes": None, "path": None}, "a dict is no image"),
        ([GIF], "a list is no image"),
    ],
)
def test_what_is_none_is_one_line(given: Any, complaint: str) -> None:
    with pytest.raises(DatasetError, match=complaint) as raised:
        read_image(given, where="qa.jsonl:3")
    line = str(raised.value)
    assert line.startswith("qa.jsonl:3: ")
    assert "\n" not in line
    assert len(line) < 300


def test_a_text_has_a_label_where_an_image_stands(file: Path) -> None:
    parts: Any = [
        {"type": "thinking", "thinking": "hidden"},
        {"type": "text", "text": "See "},
        {"type": "image", "image": str(file)},
        {"type": "text", "text": " there."},
    ]
    shown = f"See [image: gif, sha256:{hashlib.sha256(GIF).hexdigest()[:12]}] there."
    assert proctor.text_with_images({"role": "user", "content": parts}) == shown
    recorded = {"type": "image", "format": "gif", "digest": read_image(GIF).digest}
    parts[2] = recorded
    assert proctor.text_with_images({"role": "user", "content": parts}) == shown
    assert proctor.text_with_images({"role": "user", "content": "plain"}) == "plain"
    assert proctor.message_text({"role": "user", "content": parts}) == "See  there."
