"""Images through tinker-cookbook's renderers: their chunks, their count of tokens, a whole run."""

from __future__ import annotations

import base64
import copy
import importlib.util
import inspect
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import tinker
from PIL import Image
from tinker_cookbook import image_processing_utils, renderers as cookbook

import proctor
from proctor import RendererError
from proctor.renderers import Prompt, get_renderer
from proctor.testing import ScriptedClient
from proctor_cookbook import RENDERERS
from proctor_cookbook.image_processors import RUN_CODE

VISION = {
    *("kimi_k25", "kimi_k25_disable_thinking", "kimi_k26", "kimi_k26_disable_thinking"),
    "kimi_k26_preserve_thinking",
    *("nemotron3_ultra", "nemotron3_ultra_disable_thinking", "nemotron3_ultra_medium_thinking"),
    "nemotron3_ultra_preserve_thinking",
    *("qwen3_5", "qwen3_5_disable_thinking", "qwen3_5_preserve_thinking"),
    *("qwen3_8_disable_thinking", "qwen3_8_low_reasoning", "qwen3_8_medium_reasoning"),
    *("qwen3_8_xhigh_reasoning", "qwen3_vl", "qwen3_vl_instruct"),
    "tml_v0",
}
QWEN_PROCESSOR = {
    "image_processor_type": "Qwen2VLImageProcessorFast",
    "patch_size": 16,
    "merge_size": 2,
    "temporal_patch_size": 2,
    "size": {"shortest_edge": 65536, "longest_edge": 16777216},
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
"""Qwen3-VL's, as its repository has it."""


def png(width: int, height: int, color: tuple[int, int, int] = (200, 30, 30)) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), color).save(written, "PNG")
    return written.getvalue()


def asked(*images: Any, text: str = "What is it?") -> list[Any]:
    parts = [{"type": "image", "image": image} for image in images]
    return [{"role": "user", "content": [*parts, {"type": "text", "text": text}]}]


def images_of(model_input: tinker.ModelInput) -> list[Any]:
    return [chunk for chunk in model_input.chunks if hasattr(chunk, "data")]


def prompt_of(renderer: Any, messages: list[Any]) -> Prompt:
    """What is sent; in how many chunks the text is, tells nobody anything."""
    return Prompt.of_model_input(renderer.build_generation_prompt(messages))


class KimiProcessor:
    """Counts tokens by the method that Kimi's processor has; its own is code of its repository."""

    def get_resize_config(self, media: Any) -> dict[str, int]:
        width, height = media["image"].size
        return {"num_tokens": -(-width // 28) * -(-height // 28)}


class NemotronProcessor:
    """Counts tokens by the methods that Nemotron's processor has."""

    _downsample_factor = 2
    max_model_len = 1028
    min_num_patches, max_num_patches = 1024, 13312

    def _compute_target_patches(self, image: Any, budget: int) -> tuple[int, int]:
        return -(-image.size[0] // 32) * 2, -(-image.size[1] // 32) * 2


@pytest.fixture
def qwen(many_formats_tokenizer: Any, tmp_path: Path) -> Any:
    """A tokenizer whose folder has Qwen3-VL's image processor, too."""
    folder = tmp_path / "qwen"
    many_formats_tokenizer.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(QWEN_PROCESSOR))
    return proctor.get_tokenizer(str(folder))


@pytest.fixture
def qwen_processor(qwen: Any) -> Any:
    """The same, as transformers makes it."""
    return image_processing_utils.get_image_processor(qwen.name_or_path)


@pytest.mark.parametrize("name", RENDERERS)
def test_an_image_is_shown_by_those_for_vision_and_dropped_by_none(
    name: str, qwen: Any, inkling_tokenizer: Any
) -> None:
    """qwen3 left it out without a word, and those for vision raised an AssertionError."""
    renderer = get_renderer(f"cookbook/{name}", inkling_tokenizer if name == "tml_v0" else qwen)
    if name in VISION:
        if "nemotron" not in name and "kimi" not in name:
            [image] = images_of(renderer.build_generation_prompt(asked(png(64, 64))))
            assert image.expected_tokens > 0
        assert renderer.foreign.takes_images
    else:
        with pytest.raises(RendererError, match="no format for a part of type 'image'") as raised:
            renderer.build_generation_prompt(asked(png(64, 64)))
        assert "use a renderer that has one for images" in str(raised.value)


QWENS = sorted(name for name in VISION if name.startswith("qwen"))


@pytest.mark.parametrize("name", QWENS)
def test_qwen_s_prompt_is_tinker_cookbook_s_own(name: str, qwen: Any, qwen_processor: Any) -> None:
    ours = get_renderer(f"cookbook/{name}", qwen)
    theirs = cookbook.get_renderer(name, qwen, qwen_processor)
    opened = [Image.open(io.BytesIO(png(*size))) for size in ((640, 480), (100, 333))]
    conversations: list[list[Any]] = [
        asked(opened[0]),
        asked(*opened),
        [
            {"role": "system", "content": "Be brief."},
            *asked(opened[1]),
            {"role": "assistant", "content": "A square."},
            *asked(opened[0], text="And this?"),
        ],
    ]
    for messages in conversations:
        assert prompt_of(ours, messages) == prompt_of(theirs, messages)
        text = [{**m, "content": "text"} for m in messages]
        assert prompt_of(ours, text) == prompt_of(theirs, text)


def test_an_image_of_qwen_s_takes_as_many_tokens_as_its_processor_makes(
    qwen: Any, qwen_processor: Any
) -> None:
    renderer = get_renderer("cookbook/qwen3_vl_instruct", qwen)
    for size in ((640, 480), (100, 333), (31, 7), (2000, 1500)):
        given = Image.open(io.BytesIO(png(*size)))
        _, rows, columns = qwen_processor(images=[given])["image_grid_thw"][0]
        [chunk] = images_of(renderer.build_generation_prompt(asked(given)))
        assert chunk.expected_tokens == int(rows * columns) // 4, size


@pytest.mark.parametrize("name", ["qwen3_vl", "qwen3_vl_instruct"])
def test_an_image_of_qwen_s_stands_where_its_template_puts_it(name: str, qwen: Any) -> None:
    spec = importlib.util.find_spec("trl")
    assert spec is not None
    assert spec.origin is not None
    template = Path(spec.origin).parent / "chat_templates" / "qwen3_vl.jinja"
    [placeholder] = qwen.encode("<|image_pad|>", add_special_tokens=False)
    messages = [*asked("placeholder", "placeholder"), {"role": "assistant", "content": "A."}]
    messages += asked(text="Sure?")
    wanted = qwen.apply_chat_template(
        messages,
        chat_template=template.read_text(encoding="utf-8"),
        add_generation_prompt=True,
        return_dict=False,
    )
    for part in messages[0]["content"][:2]:
        part["image"] = png(64, 64)
    chunks = get_renderer(f"cookbook/{name}", qwen).build_generation_prompt(messages).chunks
    ours = [t for c in chunks for t in ([placeholder] if hasattr(c, "data") else c.tokens)]
    assert qwen.decode(ours) == qwen.decode(wanted)


@pytest.mark.parametrize(
    ("name", "processor", "tokens"),
    [
        ("kimi_k25", KimiProcessor(), 23 * 18),
        ("kimi_k26_preserve_thinking", KimiProcessor(), 23 * 18),
        ("nemotron3_ultra", NemotronProcessor(), 20 * 15),
    ],
)
def test_other_families_count_by_their_own_processor(
    name: str, processor: Any, tokens: int, qwen: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(image_processing_utils, "get_image_processor", lambda _: processor)
    given = Image.open(io.BytesIO(png(640, 480)))
    prompt = prompt_of(get_renderer(f"cookbook/{name}", qwen), asked(given))
    assert prompt == prompt_of(cookbook.get_renderer(name, qwen, processor), asked(given))
    assert [image.tokens for image in prompt.images] == [tokens]


@pytest.mark.parametrize(
    "form", ["path", "data", "bytes", "mapping", "PIL", "gray", "palette", "CMYK", "transparent"]
)
def test_every_form_of_an_image_is_sent(form: str, qwen: Any, tmp_path: Path) -> None:
    data = png(64, 96)
    file = tmp_path / "red.png"
    file.write_bytes(data)
    opened = Image.open(io.BytesIO(data))
    forms: dict[str, Any] = {
        "path": str(file),
        "data": "data:image/png;base64," + base64.b64encode(data).decode(),
        "bytes": data,
        "mapping": {"bytes": data, "path": None},
        "PIL": opened,
        "gray": opened.convert("L"),
        "palette": opened.convert("P"),
        "CMYK": opened.convert("CMYK"),
        "transparent": opened.convert("RGBA"),
    }
    renderer = get_renderer("cookbook/qwen3_vl_instruct", qwen)
    [chunk] = images_of(renderer.build_generation_prompt(asked(forms[form])))
    sent = Image.open(io.BytesIO(chunk.data))
    assert (sent.format, sent.size, chunk.format) == ("JPEG", (64, 96), "jpeg")
    red, _, blue = sent.convert("RGB").getpixel((10, 10))
    assert (red > 150 > 100 > blue) == (form != "gray")


def test_no_path_and_no_url_reaches_the_foreign_renderer(qwen: Any, monkeypatch: Any) -> None:
    """tinker-cookbook opens whatever URL a row of a dataset gives it."""
    renderer = get_renderer("cookbook/qwen3_vl_instruct", qwen)
    for url in ("https://example.org/cat.png", "ftp://example.org/cat.png"):
        with pytest.raises(proctor.DatasetError, match="is on the network; download it first"):
            renderer.build_generation_prompt(asked(url))
    with pytest.raises(proctor.DatasetError, match="is no image that begins as PNG"):
        renderer.build_generation_prompt(asked(__file__))


def test_a_damaged_image_is_one_line(qwen: Any) -> None:
    renderer = get_renderer("cookbook/qwen3_vl_instruct", qwen)
    with pytest.raises(
        RendererError, match="qwen3_vl_instruct: it can't render the conv"
    ) as raised:
        renderer.build_generation_prompt(asked(png(64, 64)[:50]))
    assert "\n" not in str(raised.value)


def test_a_model_without_an_image_processor_is_one_line(
    many_formats_tokenizer: Any, tmp_path: Path
) -> None:
    many_formats_tokenizer.save_pretrained(tmp_path)
    renderer = get_renderer("cookbook/qwen3_5", proctor.get_tokenizer(str(tmp_path)))
    assert renderer.prompt_tokens([{"role": "user", "content": "text needs none"}])
    with pytest.raises(RendererError, match=r"can't be loaded .*preprocessor_config.json"):
        renderer.build_generation_prompt(asked(png(64, 64)))
    nameless = copy.copy(many_formats_tokenizer)
    nameless.name_or_path = ""
    with pytest.raises(RendererError, match="does not say which model it is of"):
        get_renderer("cookbook/qwen3_5", nameless).build_generation_prompt(asked(png(64, 64)))


@pytest.mark.parametrize("model", sorted(RUN_CODE))
def test_code_of_a_repository_is_not_run_unasked(
    model: str, many_formats_tokenizer: Any, monkeypatch: Any
) -> None:
    tokenizer = copy.copy(many_formats_tokenizer)
    tokenizer.name_or_path = f"{model}:peft:262144"
    loaded: list[str] = []

    def load(name: str) -> Any:
        loaded.append(name)
        return KimiProcessor()

    monkeypatch.setattr(image_processing_utils, "get_image_processor", load)
    monkeypatch.delenv("HF_TRUST_REMOTE_CODE", raising=False)
    renderer = get_renderer("cookbook/kimi_k25", tokenizer)
    with pytest.raises(RendererError, match=r"is code .* which is not run; .* if you trust it"):
        renderer.build_generation_prompt(asked(png(64, 64)))
    assert loaded == []
    monkeypatch.setenv("HF_TRUST_REMOTE_CODE", "1")
    assert images_of(renderer.build_generation_prompt(asked(png(64, 64))))
    assert loaded == [tokenizer.name_or_path]


def test_every_model_whose_code_tinker_cookbook_runs_unasked_is_known() -> None:
    source = inspect.getsource(image_processing_utils.get_image_processor)
    forced = re.findall(r'model_name == "([^"]+)":\s+kwargs\["trust_remote_code"\] = True', source)
    assert set(forced) == RUN_CODE


class Pictures(proctor.Dataset):
    """Two questions that differ in their picture alone, and one that has none."""

    def examples(self) -> Any:
        for name, color in (("red", (200, 30, 30)), ("blue", (30, 30, 200))):
            yield proctor.Example(name, asked(png(640, 480, color)), name)
        yield proctor.Example("none", "Which color has no name?", "none")


class Contains(proctor.Grader):
    """Correct when the answer holds the target; keeps the samples that it saw."""

    _seen: Any = None

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        SEEN.append(sample)
        return example.targets[0] in sample.text


SEEN: list[proctor.Sample] = []


async def test_an_evaluation_with_images_from_prompt_to_record(qwen: Any, tmp_path: Path) -> None:
    SEEN.clear()
    renderer = get_renderer("cookbook/qwen3_vl_instruct", qwen)
    wanted = {e.id: renderer.build_generation_prompt(e.messages) for e in Pictures().examples()}
    labels: dict[str, str] = {}
    for name in ("red", "blue"):
        [chunk] = images_of(wanted[name])
        labels[proctor.read_image(chunk.data).label] = name

    def answer(prompt: str, index: int) -> str:
        return next((name for label, name in labels.items() if label in prompt), "no picture")

    evaluator = proctor.GradedEvaluator(
        name="colors",
        dataset=Pictures(),
        graders=[Contains()],
        renderer="cookbook/qwen3_vl_instruct",
    )
    evals = proctor.InlineEvaluations([evaluator], eval_every=1, log_path=tmp_path)
    client = ScriptedClient(answer, qwen)
    metrics = await evals.step(0, sampling_client=client)
    assert metrics["colors/score"] == pytest.approx(2 / 3)

    sent = {tuple(map(str, given.chunks)) for given in client.model_inputs}
    assert sent == {tuple(map(str, given.chunks)) for given in wanted.values()}

    for sample in SEEN:
        [call] = sample.calls
        assert call.token_counts[0] == wanted[sample.example_id].length
        assert len(call.images) == (sample.example_id != "none")

    run = proctor.FinishedRun(tmp_path / "evaluations" / "step-000000")
    records = {record["example"]: record for record in run.samples()}
    assert len({record["key"] for record in records.values()}) == 3
    for name, color in (("red", (200, 30, 30)), ("blue", (30, 30, 200))):
        given = proctor.read_image(png(640, 480, color))
        [chunk] = images_of(wanted[name])
        [call] = records[name]["calls"]
        assert records[name]["messages"][0]["content"][0] == {
            "type": "image",
            "format": "png",
            "digest": given.digest,
        }
        [image] = call["images"]
        first = wanted[name].chunks[0]
        assert image == {
            "at": len(first.tokens),
            "tokens": 300,
            "format": "jpeg",
            "digest": proctor.read_image(chunk.data).digest,
        }
    assert "images" not in records["none"]["calls"][0]
    assert not (run.folder / "images").exists()


async def test_a_prompt_with_its_images_must_fit_into_the_context(qwen: Any) -> None:
    """The tokens of text alone would fit."""
    evaluator = proctor.GradedEvaluator(
        name="colors",
        dataset=Pictures(),
        graders=[Contains()],
        renderer="cookbook/qwen3_vl_instruct",
    )
    client = ScriptedClient(lambda *_: "none", qwen)
    identity = proctor.ModelIdentity("scripted", "m", digest="d", context_length=300)
    context = proctor.EvaluationContext(identity=identity, tokenizer=qwen)
    result = await evaluator.evaluate(client, context)
    assert client.requests == 1
    counts = result.graders[0].estimate.counts
    assert counts["failed"] == 2


async def test_log_probabilities_behind_an_image_are_missing_and_say_why(qwen: Any) -> None:
    from proctor.evaluators.nll import NLL

    evaluator = NLL(name="nll", dataset=Pictures(), renderer="cookbook/qwen3_vl_instruct")
    client = ScriptedClient(lambda *_: "none", qwen)
    context = proctor.EvaluationContext.for_client(client)
    result = await evaluator.evaluate(client, context)
    assert result.graders[0].estimate.counts["failed"] == 2
    assert not any(name.endswith("/score") for name in result.metrics)
