"""The nouns that every part of Proctor shares: examples, messages, samples and grades.

Messages, their parts and tool calls have the shapes of tinker-cookbook's renderers, so that code
and renderers written for those work here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, NotRequired, Required, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

# pydantic takes a TypedDict of the standard library only from Python 3.12 on
from typing_extensions import TypedDict

from proctor.images import ImageSource, PlacedImage, image_label, read_image

Metadata: TypeAlias = Mapping[str, Any]  # what the author of a dataset or a grader put there


class TextPart(TypedDict):
    """Text that is meant to be read."""

    type: Literal["text"]
    text: str


class ThinkingPart(TypedDict):
    """The model's reasoning, apart from its answer."""

    type: Literal["thinking"]
    thinking: str


class ImagePart(TypedDict):
    """An image, in any form that ``read_image`` reads."""

    type: Literal["image"]
    image: ImageSource


Part = TextPart | ThinkingPart | ImagePart
Content = str | list[Part]


class ToolCall(BaseModel):
    """A call of a tool, in the form that OpenAI's chat API made common."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    class FunctionBody(BaseModel):
        """The function that is called, and its arguments as a JSON string."""

        model_config = ConfigDict(frozen=True, extra="forbid")

        name: str
        arguments: str

    type: Literal["function"] = "function"
    id: str | None = None
    function: FunctionBody


class UnparsedToolCall(BaseModel):
    """Text that looked like a tool call and could not be read as one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    raw_text: str
    error: str


class ToolSpec(TypedDict):
    """The declaration of a tool: ``parameters`` is a JSON schema."""

    name: str
    description: NotRequired[str]
    parameters: NotRequired[dict[str, Any]]  # the JSON of whoever declares the tool


class Message(TypedDict, total=False):
    """One turn of a conversation."""

    role: Required[str]
    content: Required[Content]
    tool_calls: NotRequired[list[ToolCall]]
    unparsed_tool_calls: NotRequired[list[UnparsedToolCall]]
    tool_call_id: NotRequired[str]
    name: NotRequired[str]


def message_text(message: Message) -> str:
    """The text of a message, without its thinking and its images."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part["type"] == "text")


def text_with_images(message: Message) -> str:
    """The text of a message, with a label where an image stands.

    Args:
        message: The message, or its form in a run's record.

    Raises:
        DatasetError: An image can't be read.
    """
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(_text_or_label(part) for part in content if part["type"] != "thinking")


def _text_or_label(part: Mapping[str, Any]) -> str:  # a part, of a message or of a record
    if part["type"] == "text":
        return str(part["text"])
    if "digest" in part:
        return image_label(str(part["format"]), str(part["digest"]))
    return read_image(part["image"]).label


def message_reasoning(message: Message) -> str:
    """The thinking of a message; empty where there is none."""
    content = message["content"]
    if isinstance(content, str):
        return ""
    return "".join(part["thinking"] for part in content if part["type"] == "thinking")


class Termination(StrEnum):
    """How a sampled answer ended, as the renderer read it. The values are tinker-cookbook's."""

    STOP_SEQUENCE = "stop_sequence"
    """The renderer's own stop signal."""

    EOS = "eos"
    """The tokenizer's end of text, where the renderer accepts it as an end."""

    MALFORMED = "malformed"
    """No clean end: cut off, an end inside open thinking, or several stop signals."""

    @property
    def is_clean(self) -> bool:
        """Whether the answer ended on purpose."""
        return self is not Termination.MALFORMED

    @property
    def is_stop_sequence(self) -> bool:
        """Whether the renderer's own stop signal ended the answer."""
        return self is Termination.STOP_SEQUENCE


@dataclass(frozen=True, slots=True)
class Example:
    """One row of a dataset.

    Attributes:
        id: Unique within the dataset.
        input: The question, or a conversation that the model continues.
        target: What a right answer is: a string, several of which any will do, the index of the
            right one of ``choices``, or None where a grader needs none.
        choices: The options of a multiple choice question, in the order in which they are shown.
        metadata: Anything else. ``metadata["stratum"]`` steers ``limit``, ``metadata["cluster"]``
            joins examples that are not independent.
    """

    id: str
    input: str | list[Message]
    target: str | int | list[str] | None = None
    choices: tuple[str, ...] | None = None
    metadata: Metadata = field(default_factory=dict)

    @property
    def messages(self) -> list[Message]:
        """The input as a conversation."""
        if isinstance(self.input, str):
            return [Message(role="user", content=self.input)]
        return self.input

    @property
    def targets(self) -> list[str]:
        """The target as a list; for multiple choice, the text of the right option."""
        if self.target is None:
            return []
        if isinstance(self.target, int):
            return [self.choices[self.target]] if self.choices else []
        return [self.target] if isinstance(self.target, str) else list(self.target)

    @property
    def letter(self) -> str | None:
        """The letter under which the target is shown, of the ``letters``; None without choices."""
        if self.choices is None or not isinstance(self.target, int):
            return None
        return choice_letter(self.target)

    @property
    def right_choices(self) -> list[int]:
        """The indices of the options that are right: the target, and any that says the same.

        Options that differ in nothing but spacing can't be told apart, so that whoever picks one of
        them is right. Empty without choices.
        """
        if self.choices is None or not isinstance(self.target, int):
            return []
        right = self.choices[self.target].split()
        return [index for index, choice in enumerate(self.choices) if choice.split() == right]

    @property
    def letters(self) -> list[str]:
        """The letters under which right options are shown; empty without choices."""
        return [choice_letter(index) for index in self.right_choices]


def choice_letter(index: int) -> str:
    """The letter of a multiple choice option: A for 0, B for 1, up to Z."""
    if not 0 <= index < 26:
        raise ValueError(f"a multiple choice question has at most 26 options, not {index + 1}")
    return chr(ord("A") + index)


SampleStatus = Literal["complete", "truncated", "malformed", "failed"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the model, and one answer to it.

    Attributes:
        prompt_tokens: The token ids that were sent.
        tokens: The token ids that came back, stop tokens included.
        stop_reason: ``stop`` or ``length``, as the client said it.
        seconds: Wall time from submission to answer.
        logprobs: One log-probability for each sampled token, where the client gave them.
        usage: How many tokens the prompt and the answer have, where an API counts them and does
            not give them.
        images: The images that stood between the prompt's tokens.
    """

    prompt_tokens: list[int]
    tokens: list[int]
    stop_reason: str
    seconds: float
    logprobs: list[float] | None = None
    usage: tuple[int, int] | None = None
    images: tuple[PlacedImage, ...] = ()

    @property
    def token_counts(self) -> tuple[int, int]:
        """How many tokens the prompt, its images included, and the answer have."""
        of_images = sum(image.tokens for image in self.images)
        return self.usage or (len(self.prompt_tokens) + of_images, len(self.tokens))


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer of the model to one example.

    Attributes:
        example_id: The example that it answers.
        index: Which of the example's samples it is, from 0.
        status: Whether the answer is whole, and if not, why.
        messages: The transcript: the prompt's messages and, unless the request failed, the answer.
        calls: Each request that it took; one, for a single turn.
        termination: How the last answer ended; None where the request failed.
        error: Why it failed or is malformed, in one line.
    """

    example_id: str
    index: int
    status: SampleStatus
    messages: list[Message]
    calls: list[Call]
    termination: Termination | None = None
    error: str | None = None

    @property
    def answer(self) -> Message | None:
        """The model's final message; None where the request failed."""
        return None if self.status == "failed" else self.messages[-1]

    @property
    def text(self) -> str:
        """The final answer's text, without thinking and stop tokens."""
        return message_text(self.answer) if self.answer else ""

    @property
    def reasoning(self) -> str:
        """The final answer's thinking."""
        return message_reasoning(self.answer) if self.answer else ""


@dataclass(frozen=True, slots=True)
class Grade:
    """A grader's verdict on one sample: a value on the grader's scale."""

    value: float
    explanation: str | None = None
    metadata: Metadata = field(default_factory=dict)


class Outcome(StrEnum):
    """What became of a (sample, grader) pair."""

    GRADED = "graded"
    """A complete answer, graded: its value is in the score."""

    TRUNCATED = "truncated"
    """Out of tokens: the model's failure, worth ``worst``."""

    MALFORMED = "malformed"
    """The renderer could not read the answer: the model's failure, worth ``worst``."""

    UNGRADED = "ungraded"
    """The grader gave no usable value: missing."""

    FAILED = "failed"
    """The request gave no answer: missing."""


class SamplingOptions(BaseModel):
    """How the model samples, with tinker's names."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    max_tokens: int = Field(default=1024, ge=1)
    """Most tokens of one answer, thinking included."""
    temperature: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    """0 takes the likeliest token."""
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    """Nucleus: sample from the likeliest tokens that hold this share of the probability."""
    top_k: int = Field(default=-1, ge=-1)
    """Sample from this many of the likeliest tokens; -1 for all."""
    seed: int | None = None
    """Seed of the sampler; without it, the run's seed."""
    stop: tuple[str, ...] = ()
    """Stop strings beside the renderer's own."""


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model answered: what a sample's key is made of.

    Attributes:
        backend: The name of the backend that opened it.
        base_model: The model's name.
        checkpoint: The checkpoint's path (``tinker://...``), if it has one.
        digest: A digest of a local model's content, if it has one.
        session: What tells this client from others where it has neither.
        renderer_name: The renderer that the checkpoint's metadata names.
        context_length: Most tokens of prompt and answer together; None where it is not known.
    """

    backend: str
    base_model: str
    checkpoint: str | None = None
    digest: str | None = None
    session: str | None = None
    renderer_name: str | None = None
    context_length: int | None = None

    @property
    def key(self) -> str:
        """The text that stands for the model in a sample's key."""
        name = self.checkpoint or self.digest or self.session
        return f"{self.backend}:{self.base_model}:{name}"

    @property
    def is_reusable(self) -> bool:
        """Whether another process can tell that it has the same model."""
        return self.checkpoint is not None or self.digest is not None
