"""From an example to the conversation that the model continues."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from proctor.components.component import ComponentKind
from proctor.datasets.dataset import Dataset
from proctor.datasets.option_references import referring_options
from proctor.errors import DatasetError
from proctor.hashing import hash64
from proctor.images import Image, read_image
from proctor.types import (
    Content,
    Example,
    ImagePart,
    Message,
    TextPart,
    choice_letter,
    message_text,
)

CHOICE_INSTRUCTION = "Answer with the letter of the right option."


class FewShot(BaseModel):
    """Answered examples that are shown before the question."""

    model_config = ConfigDict(
        extra="forbid", arbitrary_types_allowed=True, use_attribute_docstrings=True
    )

    dataset: Annotated[Dataset, ComponentKind("dataset")]
    """Where the shots come from; each needs a target."""
    n: int = Field(ge=1)
    """How many shots."""


@dataclass(frozen=True, slots=True)
class PromptStyle:
    """How a graded evaluator shows its examples.

    Attributes:
        system: The system message, if any.
        shots: Answered examples in order of preference, one more than ``n`` if there is one.
        n: How many shots to show.
        seed: Steers the order of choices.
        shuffle_choices: Whether the options of a multiple choice question are shuffled, unless
            they refer to each other.
        shows_choices: Whether options are part of the question; without them a shot is answered by
            the text of its right one.
        choice_instruction: What stands under the options.
    """

    system: str | None = None
    shots: tuple[Example, ...] = ()
    n: int = 0
    seed: int = 0
    shuffle_choices: bool = True
    shows_choices: bool = True
    choice_instruction: str = CHOICE_INSTRUCTION

    def present(self, example: Example) -> tuple[Example, list[int] | None]:
        """The example as the model sees it, and the order in which its choices are shown.

        The order depends on the example's id and the seed alone; options that refer to each other
        stay in theirs. Entry i is the index, in the
        dataset's row, of the option that is shown as the i-th letter; None without choices.

        Raises:
            DatasetError: A multiple choice question has no index of the right option, or more
                options than there are letters.
        """
        if example.choices is None:
            return example, None
        if not isinstance(example.target, int) or not 0 <= example.target < len(example.choices):
            raise DatasetError(
                f"row {example.id!r} has {len(example.choices)} choices and the target "
                f"{example.target!r}",
                fix="the target of a multiple choice question is the index of the right one",
            )
        order = list(range(len(example.choices)))
        if self.shuffle_choices and not self.keeps_order(example):
            order.sort(key=lambda index: hash64(self.seed, "choices", example.id, index))
        if len(example.choices) > 26:
            raise DatasetError(
                f"row {example.id!r} has {len(example.choices)} choices, and there are 26 letters",
                fix="leave the row out, or ask it without choices",
            )
        shown = replace(
            example,
            choices=tuple(example.choices[index] for index in order),
            target=order.index(example.target),
        )
        return shown, order

    def keeps_order(self, example: Example) -> bool:
        """Whether options are not shuffled because one of them refers to others."""
        return bool(self.shuffle_choices and example.choices and referring_options(example.choices))

    def messages(self, shown: Example) -> list[Message]:
        """The conversation for a presented example: system, shots, question.

        Raises:
            DatasetError: The row has no messages, brings a system message beside the evaluator's,
                or is one of its own shots with none to spare.
        """
        if not shown.messages:
            raise DatasetError(f"row {shown.id!r} has no messages", fix="give it an input")
        conversation = self._question(shown)
        if self.system is not None:
            if conversation[0]["role"] == "system":
                raise DatasetError(
                    f"row {shown.id!r} has a system message of its own",
                    fix="leave out the evaluator's 'system'",
                )
            head = [Message(role="system", content=self.system)]
        else:
            head = conversation[:1] if conversation[0]["role"] == "system" else []
            conversation = conversation[len(head) :]
        for shot in self._shots_for(shown):
            head.extend(self._question(shot))
            head.append(Message(role="assistant", content=self._gold_answer(shot)))
        return head + conversation

    def _shots_for(self, shown: Example) -> Iterable[Example]:
        question = _plain_question(shown)
        others = [shot for shot in self.shots if _plain_question(shot) != question]
        if len(others) < self.n:
            raise DatasetError(
                f"row {shown.id!r} is one of its own {self.n} shots, and there is none to spare",
                fix="lower few_shot's n, or add shots",
            )
        chosen = others[: self.n]
        return (self.present(shot)[0] for shot in chosen) if self.shows_choices else chosen

    def _gold_answer(self, shot: Example) -> str:
        return (shot.letter if self.shows_choices else None) or shot.targets[0]

    def _question(self, shown: Example) -> list[Message]:
        if shown.choices is None or not self.shows_choices:
            return list(shown.messages)
        options = "\n".join(
            f"{choice_letter(index)}) {choice}" for index, choice in enumerate(shown.choices)
        )
        asked = list(shown.messages)
        last = asked[-1]
        below = f"\n\n{options}"
        if self.choice_instruction:
            below += f"\n\n{self.choice_instruction}"
        content: Content = message_text(last) + below
        if _images_in(last):
            content = [*last["content"], TextPart(type="text", text=below)]
        asked[-1] = Message(role=last["role"], content=content)
        return asked


def choose_shots(few_shot: FewShot, seed: int) -> tuple[Example, ...]:
    """The shots of an evaluator, the same for every question, and one to spare if there is one.

    A question that is among its own shots gets the spare in place of itself.

    Raises:
        DatasetError: There are too few shots with a target and a question of their own.
    """
    wanted = few_shot.n + 1
    distinct: dict[tuple[str, ...], tuple[int, Example]] = {}
    for example in few_shot.dataset.examples():
        if any(target.strip() for target in example.targets):
            entry = (hash64(seed, "few_shot", example.id), example)
            distinct.setdefault(_plain_question(example), entry)
            if len(distinct) > 8 * wanted:
                distinct = dict(_smallest_entries(distinct, wanted))
    if len(distinct) < few_shot.n:
        raise DatasetError(
            f"few_shot asks for {few_shot.n} shots, and there are {len(distinct)} different "
            "questions with a target",
            fix="lower n, or add shots",
        )
    chosen = (example for _, (_, example) in _smallest_entries(distinct, wanted))
    # they are compared with every row: their images are read once
    return tuple(
        replace(e, input=with_images_read(e.messages, f"row {e.id!r}"))
        if any(map(_images_in, e.messages))
        else e
        for e in chosen
    )


def _smallest_entries(
    entries: dict[tuple[str, ...], tuple[int, Example]], count: int
) -> Sequence[tuple[tuple[str, ...], tuple[int, Example]]]:
    return heapq.nsmallest(count, entries.items(), key=lambda item: (item[1][0], item[1][1].id))


def _plain_question(example: Example) -> tuple[str, ...]:
    """What tells questions apart: their words, their images and, in any order, their options."""
    stem = "\n".join(" ".join(message_text(m).split()).casefold() for m in example.messages)
    images = [image.digest for message in example.messages for image in _images_in(message)]
    return stem, *images, *sorted(" ".join(choice.split()) for choice in example.choices or ())


def _images_in(message: Message) -> list[Image]:
    content = message["content"]
    if isinstance(content, str):
        return []
    return [read_image(part["image"]) for part in content if part["type"] == "image"]


def with_images_read(messages: Sequence[Message], where: str) -> list[Message]:
    """A conversation whose images are in memory, and no longer change with their files.

    Args:
        messages: The conversation.
        where: Its place, for errors.

    Raises:
        DatasetError: An image can't be read.
    """
    return [_with_images_read(message, where) for message in messages]


def _with_images_read(message: Message, where: str) -> Message:
    content = message["content"]
    if isinstance(content, str) or all(part["type"] != "image" for part in content):
        return message
    read: Message = message.copy()
    read["content"] = [
        ImagePart(type="image", image=read_image(part["image"], where=where).in_memory())
        if part["type"] == "image"
        else part
        for part in content
    ]
    return read
