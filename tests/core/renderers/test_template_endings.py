"""What the renderers of no family, role_colon and chat_template, make of the end of an answer."""

from __future__ import annotations

from typing import Any

import pytest

from proctor.renderers import Termination, get_renderer, message_reasoning, message_text

CLEAN, MALFORMED = Termination.STOP_SEQUENCE, Termination.MALFORMED


ROLE_COLON = [
    (" Paris.\n\nUser:", "Paris.", CLEAN),
    (" Paris.<|end_of_text|>", "Paris.", Termination.EOS),
    (" Par", "Par", MALFORMED),
    (" Paris.\n\nUs", "Paris.\n\nUs", MALFORMED),
    (" Paris.\n\nUser:<|end_of_text|>", "Paris.", MALFORMED),
    (" Paris.\n\nUser: x\n\nUser:", "Paris.", MALFORMED),
    (" Paris.<|end_of_text|><|end_of_text|>", "Paris.", MALFORMED),
    (" Paris.<|end_of_text|> Rome.", "Paris.", MALFORMED),
    ("", "", MALFORMED),
    ("<|end_of_text|>", "", Termination.EOS),
    ("\n\nUser:", "", CLEAN),
    (" Paris.\n\n<|end_of_text|>", "Paris.", Termination.EOS),
    (
        "Paris. User:\n\nAssistant: x<|end_of_text|>",
        "Paris. User:\n\nAssistant: x",
        Termination.EOS,
    ),
]


@pytest.mark.parametrize(("spelled", "text", "termination"), ROLE_COLON)
def test_role_colon(spelled: str, text: str, termination: Termination, base_tokenizer: Any) -> None:
    renderer = get_renderer("role_colon", base_tokenizer)
    tokens = base_tokenizer.encode(spelled, add_special_tokens=False)
    message = {"role": "assistant", "content": text}
    assert renderer.parse_response(tokens) == (message, termination)


CHAT_TEMPLATE = [
    ("Paris.<|im_end|>", "Paris.", CLEAN),
    ("Paris.<|endoftext|>", "Paris.", Termination.EOS),
    ("Paris.", "Paris.", MALFORMED),
    ("Paris.<|im_end|><|im_end|>", "Paris.", MALFORMED),
    ("Paris.<|im_end|><|endoftext|>", "Paris.", CLEAN),
    ("Paris.<|endoftext|>\nRome.", "Paris.", MALFORMED),
    ("", "", MALFORMED),
    ("<|im_end|>", "", CLEAN),
]


@pytest.mark.parametrize(("spelled", "text", "termination"), CHAT_TEMPLATE)
def test_chat_template(
    spelled: str, text: str, termination: Termination, chat_tokenizer: Any
) -> None:
    """The template ends turns with one token, and the tokenizer ends texts with another."""
    renderer = get_renderer("chat_template", chat_tokenizer)
    ends = [chat_tokenizer.convert_tokens_to_ids(t) for t in ("<|im_end|>", "<|endoftext|>")]
    assert renderer.get_stop_sequences() == ends
    tokens = chat_tokenizer.encode(spelled, add_special_tokens=False)
    message = {"role": "assistant", "content": text}
    assert renderer.parse_response(tokens) == (message, termination)


@pytest.mark.parametrize(
    ("spelled", "reasoning", "text", "termination"),
    [
        ("<think>\nso\n</think>\n\nParis.<|im_end|>", "so", "Paris.", CLEAN),
        ("<think>\nit is Paris", "it is Paris", "", MALFORMED),
        ("<think>\nit is Paris<|im_end|>", "it is Paris", "", MALFORMED),
        ("<think>\nit is Paris<|endoftext|>", "it is Paris", "", MALFORMED),
    ],
)
def test_chat_template_reads_thinking(
    spelled: str, reasoning: str, text: str, termination: Termination, chat_tokenizer: Any
) -> None:
    renderer = get_renderer("chat_template", chat_tokenizer)
    tokens = chat_tokenizer.encode(spelled, add_special_tokens=False)
    message, found = renderer.parse_response(tokens)
    assert (message_reasoning(message), message_text(message)) == (reasoning, text)
    assert found is termination
