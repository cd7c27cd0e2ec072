"""Looking at a renderer before money is spent on it, and at its first answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from proctor.errors import RendererError
from proctor.renderers.base import Renderer
from proctor.renderers.canonical import CANONICAL, DECLARED, QUESTION
from proctor.renderers.tokenizers import Tokenizer
from proctor.types import Message, Sample, ToolSpec

_QUICK = ("one question", "a system message", "several turns")


@dataclass(frozen=True, slots=True)
class RendererWarning:
    """Something that looks wrong about a renderer, and what to do about it."""

    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.problem}; {self.fix}"


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a renderer's prompt first differs from the tokenizer's own template's.

    Attributes:
        conversation: What the conversation shows.
        position: The index of the first token that differs.
        ours: The renderer's token there, as text; None at its prompt's end.
        theirs: The template's.
        before: The text that both have up to there, from its last 40 tokens.
    """

    conversation: str
    position: int
    ours: str | None
    theirs: str | None
    before: str

    def __str__(self) -> str:
        return (
            f"{self.conversation}: token {self.position} is {self.ours!r}, and {self.theirs!r} in "
            f"the template, after {self.before!r}"
        )


class PromptToken(NamedTuple):
    """A token of a prompt, or an image among them.

    Attributes:
        id: The token's id; None for an image.
        text: The token's text, or the image's label.
        is_special: Whether it is a control token.
        length: How many tokens it takes.
    """

    id: int | None
    text: str
    is_special: bool
    length: int = 1


def describe_prompt(
    renderer: Renderer,
    messages: Sequence[Message],
    *,
    tools: list[ToolSpec] | None = None,
    prefill: str | None = None,
    role: str = "assistant",
) -> list[PromptToken]:
    """A conversation's prompt, token by token.

    Args:
        renderer: The renderer.
        messages: The conversation.
        tools: Declarations of tools that the model may call.
        prefill: The start of the answer, which the model continues.
        role: Whose message is sampled.
    """
    special = renderer.codec.special_ids
    [prompt] = renderer.prompts([messages], tools=tools, prefill=prefill, role=role)
    described = [
        PromptToken(token, renderer.codec.decode([token]), token in special)
        for token in prompt.tokens
    ]
    for placed in reversed(prompt.images):
        shown = PromptToken(None, placed.image.label, False, placed.tokens)
        described.insert(placed.at, shown)
    return described


def check_renderer(
    renderer: Renderer,
    tokenizer: Tokenizer,
    conversations: dict[str, list[Message]] = CANONICAL,
    declared: Mapping[str, list[ToolSpec]] = DECLARED,
) -> list[Difference]:
    """Holds a renderer against the tokenizer's own chat template.

    Differences that the renderer means to make (its ``template_differences`` and ``differs_on``)
    don't count, nor do conversations that one of the two refuses.

    Args:
        renderer: The renderer.
        tokenizer: The tokenizer that has the template.
        conversations: What to render, by what it shows.
        declared: Tools that a conversation declares, by what it shows.

    Returns:
        The first difference of each conversation that differs.

    Raises:
        RendererError: The tokenizer has no chat template.
    """
    from proctor.renderers.families.chat_template import ChatTemplateRenderer

    template = ChatTemplateRenderer(tokenizer, reads_answers=False)
    template.template_arguments = renderer.template_arguments  # type: ignore[misc]
    found = []
    for shown, messages in conversations.items():
        if shown in renderer.differs_on:
            continue
        try:
            ours = renderer.prompt_tokens(messages, tools=declared.get(shown))
            theirs = template.prompt_tokens(messages, tools=declared.get(shown))
        except RendererError:
            continue
        if renderer.template_differences:
            theirs = _as_meant(renderer, theirs)
        difference = _first_difference(renderer, shown, ours, theirs)
        if difference is not None:
            found.append(difference)
    return found


def _as_meant(renderer: Renderer, tokens: list[int]) -> list[int]:
    text = meant = renderer.codec.decode(tokens)
    for pattern, replacement in renderer.template_differences:
        meant = re.sub(pattern, replacement, meant)
    return tokens if meant == text else renderer.codec.encode_markup(meant)


def _first_difference(
    renderer: Renderer, shown: str, ours: list[int], theirs: list[int]
) -> Difference | None:
    if ours == theirs:
        return None
    pairs = enumerate(zip(ours, theirs, strict=False))
    position = next((i for i, (a, b) in pairs if a != b), min(len(ours), len(theirs)))

    def token(tokens: list[int]) -> str | None:
        return renderer.codec.decode([tokens[position]]) if position < len(tokens) else None

    before = renderer.codec.decode(ours[max(0, position - 40) : position])
    return Difference(shown, position, token(ours), token(theirs), before)


def quick_check(renderer: Renderer, tokenizer: Tokenizer) -> list[RendererWarning]:
    """What looks wrong about a renderer, at the start of a run.

    Args:
        renderer: The renderer.
        tokenizer: The model's tokenizer.

    Returns:
        Warnings: control tokens or stop signals that the vocabulary lacks, a start token twice or
        not at all, a prompt that differs from the tokenizer's own template.
    """
    prompt = renderer.prompt_tokens([QUESTION])
    warnings = [*_missing_tokens(renderer), *_start_token(tokenizer, prompt)]
    if not warnings and getattr(tokenizer, "chat_template", None):
        quick = {shown: CANONICAL[shown] for shown in _QUICK}
        warnings = [
            RendererWarning(
                f"its prompt differs from the tokenizer's own chat template ({difference})",
                "see `proctor render --check`, or use the renderer chat_template",
            )
            for difference in check_renderer(renderer, tokenizer, quick)[:1]
            if not renderer.is_plain_text
        ]
    return warnings


def _missing_tokens(renderer: Renderer) -> list[RendererWarning]:
    lacking = [] if renderer.may_spell_controls else renderer.codec.missing
    if not lacking:
        return []
    stops = [control for control in lacking if control in renderer.stops]
    what = "stop signal" if stops else "control token"
    spellings = ", ".join(repr(control.spelling) for control in stops or lacking)
    return [
        RendererWarning(
            f"the tokenizer doesn't have its {what} {spellings}",
            "it is for another model family: use the model's own renderer",
        )
    ]


def _start_token(tokenizer: Tokenizer, prompt: list[int]) -> Iterable[RendererWarning]:
    start = getattr(tokenizer, "bos_token_id", None)
    if start is None:
        return
    spelling = getattr(tokenizer, "bos_token", None)
    if prompt[:2] == [start, start]:
        yield RendererWarning(
            f"the prompt begins with the start token {spelling!r} twice",
            "take it out of the renderer or of the chat template",
        )
    elif prompt[:1] != [start] and list(tokenizer.encode("a"))[:1] == [start]:
        yield RendererWarning(
            f"the prompt doesn't begin with the start token {spelling!r}, which the tokenizer puts "
            "before every text",
            "use the model's own renderer",
        )


def early_warning(samples: Sequence[Sample]) -> RendererWarning | None:
    """What a run's first answers say about its renderer and its options.

    Args:
        samples: The first answers, some 20.

    Returns:
        A warning with the likely cause where every request failed, or every answer is malformed,
        or every one truncated.
    """
    answered = [sample for sample in samples if sample.status != "failed"]
    if samples and not answered:
        return RendererWarning(
            f"all of the first {len(samples)} requests failed: {samples[0].error}",
            "stop the run, and look at the model's options and its server",
        )
    statuses = {sample.status for sample in answered}
    if statuses == {"truncated"}:
        return _all_truncated(answered)
    if statuses == {"malformed"}:
        return _all_malformed(answered)
    return None


def _all_truncated(samples: Sequence[Sample]) -> RendererWarning:
    problem = f"all of the first {len(samples)} answers ran out of tokens"
    if all(sample.reasoning and not sample.text for sample in samples):
        return RendererWarning(
            f"{problem} while thinking",
            "raise max_tokens, or use the family's renderer without thinking",
        )
    return RendererWarning(
        problem,
        "raise max_tokens; if the answers go on after their end, the model doesn't use the "
        "renderer's stop signal: use the model's own renderer, or role_colon for a base model",
    )


def _all_malformed(samples: Sequence[Sample]) -> RendererWarning:
    problem = f"all of the first {len(samples)} answers are malformed"
    if all(sample.reasoning and not sample.text for sample in samples):
        return RendererWarning(
            f"{problem}: they end inside open thinking",
            "use the family's renderer without thinking, or the model's own renderer",
        )
    errors = Counter(sample.error for sample in samples if sample.error)
    if errors and "renderer raised" in (reason := errors.most_common(1)[0][0]):
        return RendererWarning(f"{problem}: {reason}", "use the model's own renderer")
    last = {token for sample in samples for token in sample.calls[-1].tokens[-1:]}
    how = f", each with the token {last.pop()}" if len(last) == 1 else ""
    return RendererWarning(
        f"{problem}: they end without the renderer's stop signal{how}",
        "use the model's own renderer, or role_colon for a base model",
    )
