"""A run about pictures: asked, recorded, judged by a model that reads text, and shown."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import vocabularies
from PIL import Image

import proctor

PLUGIN = '''\
import os

import proctor
from proctor.testing import ScriptedClient


class Seeing(proctor.Backend):
    """Says which picture it was sent, as a model that sees would."""

    async def open_model(self):
        tokenizer = proctor.get_tokenizer(os.environ["PROCTOR_TEST_VISION"])
        client = ScriptedClient(lambda prompt, index: self.seen(), tokenizer)
        self._client = client
        identity = proctor.ModelIdentity("seeing", "qwen3-vl", digest="eyes-1")
        return proctor.OpenedModel(client, identity, tokenizer)

    _client = None

    def seen(self):
        import io

        from PIL import Image

        colors = []
        for chunk in self._client.model_inputs[-1].chunks:
            if hasattr(chunk, "data"):
                red, _, blue = Image.open(io.BytesIO(chunk.data)).convert("RGB").getpixel((5, 5))
                colors.append("red" if red > blue else "blue")
        return "I see " + (" and ".join(colors) or "nothing") + "."


@proctor.hookimpl
def proctor_register(registry):
    registry.backend("seeing", Seeing)
'''

RENDERER = "cookbook/qwen3_vl_instruct"

CONFIG = """\
model: {backend: seeing}
renderer: cookbook/qwen3_vl_instruct
concurrency: 1
KEEP
evaluators:
  - name: colors
    dataset: {type: jsonl, path: data/rows.jsonl, input: question, target: color, id: color}
    graders:
      - substring
      - type: llm_judge
        judge:
          backend: scripted
          answers: {"[image: png, sha256:": "There was one.\\nVERDICT: CORRECT"}
          otherwise: "No image.\\nVERDICT: INCORRECT"
"""


def png(color: tuple[int, int, int]) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (640, 480), color).save(written, "PNG")
    return written.getvalue()


PICTURES = {"red": png((200, 30, 30)), "blue": png((30, 30, 200))}


@pytest.fixture
def run(command_line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the config in a folder with its plugin, its pictures and its model's tokenizer."""
    vision = tmp_path / "vision"
    vocabularies.tokenizer_of_family("qwen3_5").save_pretrained(vision)
    processor = {
        "image_processor_type": "Qwen2VLImageProcessorFast",
        "patch_size": 16,
        "merge_size": 2,
        "temporal_patch_size": 2,
        "size": {"shortest_edge": 65536, "longest_edge": 16777216},
    }
    (vision / "preprocessor_config.json").write_text(json.dumps(processor))
    monkeypatch.setitem(os.environ, "PROCTOR_TEST_VISION", str(vision))
    (tmp_path / "seeing.py").write_text(PLUGIN)
    data = tmp_path / "data"
    data.mkdir()
    rows = []
    for color, content in PICTURES.items():
        (data / f"{color}.png").write_bytes(content)
        rows.append({"question": "Which color?", "image": f"{color}.png", "color": color})
    (data / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def start(*arguments: str, keep: str = "", renderer: str = RENDERER) -> Any:
        config = CONFIG.replace("KEEP", keep).replace(RENDERER, renderer)
        (tmp_path / "colors.yaml").write_text(config)
        return command_line("--plugin", "seeing.py", "run", "colors.yaml", *arguments)

    return start


def records(folder: Path) -> dict[str, Any]:
    lines = (folder / "samples.jsonl").read_text().splitlines()
    return {record["example"]: record for record in map(json.loads, lines)}


def test_it_is_asked_judged_recorded_and_shown(run: Any, command_line: Any, tmp_path: Path) -> None:
    printed = run("--out", "run")
    assert printed.code == 0, printed.err
    metrics = json.loads((tmp_path / "run" / "results.json").read_text())["metrics"]
    assert metrics["colors/substring/score"] == 1.0
    # the judge is told that there was an image: it has no other way to tell
    assert metrics["colors/llm_judge/score"] == 1.0

    for color, record in records(tmp_path / "run").items():
        digest = proctor.read_image(PICTURES[color]).digest
        image, question = record["messages"][0]["content"]
        assert image == {
            "type": "image",
            "format": "png",
            "digest": digest,
            "name": f"{color}.png",
        }
        assert question == {"type": "text", "text": "Which color?"}
        [sent] = record["calls"][0]["images"]
        assert (sent["format"], sent["tokens"]) == ("jpeg", 300)
    assert not (tmp_path / "run" / "images").exists()
    # nothing of the picture itself: half a kilobyte a token would fill the folder
    assert (tmp_path / "run" / "samples.jsonl").stat().st_size < 4000

    shown = command_line("show", "run").out
    for color, content in PICTURES.items():
        assert proctor.read_image(content).label + "Which color?" in shown
        assert f"image    {color}.png" in shown
        assert f"I see {color}." in shown
    flat = [json.loads(line) for line in command_line("show", "run", "--json").out.splitlines()]
    assert [row["question"][0]["content"][0]["type"] for row in flat] == ["image", "image"]


def test_pictures_are_kept_where_the_config_says_so(
    run: Any, command_line: Any, tmp_path: Path
) -> None:
    assert run("--out", "run", keep="keep_images: true").code == 0
    for color, record in records(tmp_path / "run").items():
        image = record["messages"][0]["content"][0]
        kept = tmp_path / "run" / image["file"]
        assert kept.read_bytes() == PICTURES[color]
        assert image["file"] == f"images/{image['digest'].removeprefix('sha256:')}.png"
        assert f"image    {image['file']}" in command_line("show", "run").out
    assert len(list((tmp_path / "run" / "images").iterdir())) == 2
    run_record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert run_record["config"]["keep_images"] is True


def test_two_pictures_under_one_question_are_two_samples(run: Any, tmp_path: Path) -> None:
    run("--out", "run")
    keys = [record["key"] for record in records(tmp_path / "run").values()]
    assert len(set(keys)) == 2
    first = {name: record["key"] for name, record in records(tmp_path / "run").items()}
    run("--out", "again")
    assert {n: r["key"] for n, r in records(tmp_path / "again").items()} == first
    (tmp_path / "data" / "red.png").write_bytes(png((90, 30, 30)))
    run("--out", "changed")
    changed = {name: record["key"] for name, record in records(tmp_path / "changed").items()}
    assert changed["blue"] == first["blue"]
    assert changed["red"] != first["red"]


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda data: (data / "red.png").unlink(), "rows.jsonl:1: image: can't read the image"),
        (
            lambda data: (data / "red.png").write_text("<svg/>"),
            "red.png is no image that begins as PNG",
        ),
    ],
    ids=["missing", "no image"],
)
def test_a_bad_picture_ends_the_run_before_anything_is_asked(
    damage: Any, complaint: str, run: Any, tmp_path: Path
) -> None:
    damage(tmp_path / "data")
    printed = run("--out", "run")
    assert printed.code == 2
    assert complaint in printed.err
    assert not (tmp_path / "run" / "samples.jsonl").exists() or not records(tmp_path / "run")


def test_a_renderer_without_images_refuses_them_in_one_line(run: Any) -> None:
    printed = run("--out", "run", renderer="qwen3_5")
    assert "renderer qwen3_5: it has no format for a part of type 'image'" in printed.err


def test_the_prompt_can_be_looked_at(run: Any, command_line: Any, tmp_path: Path) -> None:
    messages = [
        {
            "role": "user",
            "content": [
                {"type": "image", "image": str(tmp_path / "data" / "red.png")},
                {"type": "text", "text": "Which?"},
            ],
        }
    ]
    (tmp_path / "messages.json").write_text(json.dumps(messages))
    vision = str(tmp_path / "vision")
    asked = ("render", "--model", vision, "--renderer", "cookbook/qwen3_vl_instruct")
    printed = command_line(*asked, "--messages", "messages.json")
    assert printed.code == 0, printed.err
    lines = printed.out.splitlines()
    [image] = [index for index, line in enumerate(lines) if "[image: jpeg, sha256:" in line]
    assert lines[image].endswith("300 tokens")
    assert "<|vision_start|>" in lines[image - 1]
    assert "<|vision_end|>" in lines[image + 1]
    total = 300 + len(lines) - 2
    assert f"{total} tokens" in lines[0]
    flat = json.loads(command_line(*asked, "--messages", "messages.json", "--json").out)
    assert [t["tokens"] for t in flat["tokens"] if t["id"] is None] == [300]
