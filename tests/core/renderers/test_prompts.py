"""Prompts with images among their tokens, and tinker's form of them."""

from __future__ import annotations

from typing import Any

import pytest
import tinker

from proctor import Image, RendererError
from proctor.renderers import PlacedImage, Prompt

JPEG = b"\xff\xd8\xff one"
OTHER = b"\xff\xd8\xff two"


def text(*tokens: int) -> tinker.ModelInputChunk:
    return tinker.EncodedTextChunk(tokens=list(tokens))


def image(data: bytes, tokens: int | None = 7) -> tinker.ModelInputChunk:
    return tinker.types.ImageChunk(data=data, format="jpeg", expected_tokens=tokens)


LAYOUTS: dict[str, list[tinker.ModelInputChunk]] = {
    "within": [text(1, 2), image(JPEG), text(3)],
    "first": [image(JPEG), text(3)],
    "last": [text(1), image(JPEG)],
    "side by side": [text(1), image(JPEG), image(OTHER, 9), text(2)],
    "alone": [image(JPEG)],
    "twice the same": [image(JPEG), text(1), image(JPEG)],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_is_sent_as_it_was_laid_out(layout: str) -> None:
    given = tinker.ModelInput(chunks=LAYOUTS[layout])
    prompt = Prompt.of_model_input(given)
    assert prompt.to_model_input() == given
    assert prompt.length == given.length


def test_text_alone_is_one_chunk() -> None:
    given = tinker.ModelInput(chunks=[text(1, 2), text(3)])
    prompt = Prompt.of_model_input(given)
    assert prompt.to_model_input() == tinker.ModelInput.from_ints([1, 2, 3])
    assert (prompt.key, prompt.length, prompt.images) == ([1, 2, 3], 3, ())


def test_its_key_tells_images_and_their_places_apart() -> None:
    keys = [
        str(Prompt.of_model_input(tinker.ModelInput(chunks=chunks)).key)
        for chunks in (
            *LAYOUTS.values(),
            [text(1, 2), image(OTHER), text(3)],
            [text(1), image(JPEG), text(2, 3)],
            [text(1, 2), image(JPEG, 8), text(3)],
            [text(1, 2, 3)],
        )
    ]
    assert len(set(keys)) == len(keys)


def test_what_follows_stands_behind_the_last_image() -> None:
    prompt = Prompt([1], (PlacedImage(1, Image(JPEG, "jpeg"), 7),)).followed_by([2, 3])
    assert prompt.to_model_input().chunks == [text(1), image(JPEG), text(2, 3)]


def test_as_text_each_image_is_a_label() -> None:
    prompt = Prompt.of_model_input(tinker.ModelInput(chunks=LAYOUTS["side by side"]))
    labels = [placed.image.label for placed in prompt.images]
    assert labels[0] != labels[1]
    assert prompt.text(lambda ids: "".join(f"<{i}>" for i in ids)) == f"<1>{''.join(labels)}<2>"


def test_where_only_tokens_can_stand_an_image_is_refused() -> None:
    prompt = Prompt.of_model_input(tinker.ModelInput(chunks=LAYOUTS["within"]))
    with pytest.raises(RendererError, match="nll: the prompt holds an image, where only tokens"):
        prompt.text_tokens("nll")
    assert Prompt([1, 2]).text_tokens("nll") == [1, 2]


@pytest.mark.parametrize(
    "chunk",
    [
        image(JPEG, None),
        tinker.types.ImageAssetPointerChunk(
            format="jpeg", location="https://example.org/a.jpg", expected_tokens=3
        ),
    ],
    ids=["tokens unknown", "bytes elsewhere"],
)
def test_an_image_of_which_too_little_is_known_is_refused(chunk: Any) -> None:
    with pytest.raises(RendererError, match="says neither its tokens nor an image's bytes"):
        Prompt.of_model_input(tinker.ModelInput(chunks=[text(1), chunk]))
