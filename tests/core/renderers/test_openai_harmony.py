"""gpt-oss against OpenAI's own implementation of Harmony: prompts, declarations, answers, ids."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import openai_harmony as harmony
import pytest
from openai_harmony import Role

from proctor.renderers import get_renderer, message_reasoning, message_text
from proctor.renderers.families.gpt_oss import GptOssMediumReasoningRenderer
from proctor.renderers.messages import calls_of

EFFORTS = ("low", "medium", "high")
KEEPS_ANALYSIS = harmony.RenderConversationConfig(auto_drop_analysis=False)

PROMPT_DIFFERENCES = {
    "a blank line ends the instructions": (
        r"(<\|message\|># Instructions\n\n.*?)(<\|end\|>)",
        r"\1\n\n\2",
    ),
    "the last message ends with the end of sampling": (
        r"<\|end\|>(<\|start\|>assistant)$",
        r"<|return|>\1",
    ),
}
"""What the prompts have otherwise than Harmony's, as tinker-cookbook's have it."""

DECLARATION_DIFFERENCES = {
    "where calls go is said in a message of its own": (
        r"(every message\.)\n(Calls to)",
        r"\1<|end|><|start|>system<|message|>\2",
    ),
    "parameters begin on a line of their own": (r"\(_: \{\n", "(_:\n{\n"),
    "a tool without parameters takes none, not any": (r"\(_: any\)", "()"),
    "an object among the parameters is on one line": (
        r"\{\n    (\w+\??: \w+),\n    \}",
        r"{ \1 }",
    ),
    "a default among choices is quoted": (r"// default: (C)\n", r'// default: "\1"' + "\n"),
}


@pytest.fixture(scope="module")
def encoding(vocabularies: ModuleType) -> harmony.HarmonyEncoding:
    """Harmony, with its vocabulary from a file: it would fetch it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIKTOKEN_ENCODINGS_BASE", str(vocabularies.O200K_FILE.parent))
        return harmony.load_harmony_encoding(harmony.HarmonyEncodingName.HARMONY_GPT_OSS)


@pytest.fixture(scope="module")
def ours(tokenizer_of: Any) -> GptOssMediumReasoningRenderer:
    renderer = get_renderer("gpt_oss_medium_reasoning", tokenizer_of("gpt_oss_medium_reasoning"))
    assert isinstance(renderer, GptOssMediumReasoningRenderer)
    return renderer


def system_of(effort: str, date: str) -> harmony.Message:
    content = (
        harmony.SystemContent.new()
        .with_reasoning_effort(harmony.ReasoningEffort(effort.capitalize()))
        .with_conversation_start_date(date)
    )
    return harmony.Message.from_role_and_content(Role.SYSTEM, content)


def parts_of(message: Any) -> tuple[str, str]:
    """A message's thinking and its text."""
    content = message["content"]
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    thinking, text = (
        "".join(part[kind] for part in parts if part["type"] == kind)
        for kind in ("thinking", "text")
    )
    return thinking, text


def as_harmony(message: Any, developer: harmony.DeveloperContent) -> list[harmony.Message]:
    """A message in OpenAI's classes; a system message goes into the developer's."""
    thinking, text = parts_of(message)
    role = message["role"]
    if role == "system":
        content = developer.with_instructions(text)
        return [harmony.Message.from_role_and_content(Role.DEVELOPER, content)]
    if role == "user":
        return [harmony.Message.from_role_and_content(Role.USER, text)]
    if role == "tool":
        author = harmony.Author.new(Role.TOOL, f"functions.{message['name']}")
        result = harmony.Message.from_author_and_content(author, text)
        return [result.with_channel("commentary").with_recipient("assistant")]
    calls = message.get("tool_calls", ())
    said = [("analysis", thinking)] if thinking else []
    if text or not calls:
        said.append(("commentary" if calls else "final", text))
    return [
        *(
            harmony.Message.from_role_and_content(Role.ASSISTANT, what).with_channel(channel)
            for channel, what in said
        ),
        *(
            harmony.Message.from_role_and_content(Role.ASSISTANT, call.function.arguments)
            .with_channel("commentary")
            .with_recipient(f"functions.{call.function.name}")
            .with_content_type("<|constrain|>json")
            for call in calls
        ),
    ]


def conversation_of(
    messages: Any, date: str, effort: str = "medium", tools: Any = ()
) -> harmony.Conversation:
    developer = harmony.DeveloperContent.new()
    if tools:
        developer = developer.with_function_tools(
            [harmony.ToolDescription.new(**tool) for tool in tools]
        )
    converted = [system_of(effort, date)]
    if tools and messages[0]["role"] != "system":
        converted.append(harmony.Message.from_role_and_content(Role.DEVELOPER, developer))
    for message in messages:
        converted.extend(as_harmony(message, developer))
    return harmony.Conversation.from_messages(converted)


def with_differences(tokenizer: Any, tokens: list[int], differences: Any) -> list[int]:
    """Tokens with what is meant to differ."""
    text = tokenizer.decode(tokens)
    for pattern, replacement in differences:
        text = re.sub(pattern, replacement, text, flags=re.DOTALL)
    encoded: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return encoded


@pytest.mark.parametrize("effort", EFFORTS)
def test_prompts_are_harmonys_but_for_what_is_meant(
    effort: str,
    encoding: harmony.HarmonyEncoding,
    tokenizer_of: Any,
    conversations: dict[str, Any],
    all_conversations: ModuleType,
) -> None:
    tokenizer = tokenizer_of("gpt_oss_medium_reasoning")
    renderer: Any = get_renderer(f"gpt_oss_{effort}_reasoning", tokenizer)
    equal, differing, meant = set(), set(), set()
    blank_line, end = PROMPT_DIFFERENCES.values()
    for shown, messages in conversations.items():
        tokens = renderer.prompt_tokens(messages)
        given = conversation_of(messages, renderer.current_date, effort)
        theirs = encoding.render_conversation_for_completion(given, Role.ASSISTANT, KEEPS_ANALYSIS)
        (equal if tokens == theirs else differing).add(shown)
        ends = messages[-1]["role"] == "assistant" and "tool_calls" not in messages[-1]
        wanted = [
            *([blank_line] if messages[0]["role"] == "system" else []),
            *([end] if ends else []),
        ]
        if wanted:
            meant.add(shown)
            assert tokens == with_differences(tokenizer, theirs, wanted), shown
    assert differing == meant
    assert len(equal) >= 60
    assert sum(all_conversations.has_tools(conversations[shown]) for shown in equal) >= 20


def test_thinking_stays_where_harmony_drops_it_unless_told_not_to(
    encoding: harmony.HarmonyEncoding,
    ours: GptOssMediumReasoningRenderer,
    conversations: dict[str, Any],
    all_conversations: ModuleType,
) -> None:
    for shown, messages in conversations.items():
        given = conversation_of(messages, ours.current_date)
        kept, dropped = (
            encoding.render_conversation_for_completion(given, Role.ASSISTANT, config)
            for config in (KEEPS_ANALYSIS, None)
        )
        turns = [message for message in messages if message["role"] == "assistant"]
        is_final = ["tool_calls" not in turn for turn in turns]
        drops = (
            bool(turns)
            and is_final[-1]
            and all_conversations.has_thinking(turns[: is_final.index(True) + 1])
        )
        assert (kept != dropped) is drops, shown


@pytest.mark.parametrize("system", [None, "Be brief."])
def test_tools_are_declared_as_harmony_declares_them_but_for_what_is_meant(
    system: str | None,
    encoding: harmony.HarmonyEncoding,
    ours: GptOssMediumReasoningRenderer,
    conversations: dict[str, Any],
    all_conversations: ModuleType,
    tools: list[Any],
) -> None:
    tokenizer: Any = ours.tokenizer
    told = [] if system is None else [all_conversations.system(system)]
    questions = {"question": conversations["question"]} | all_conversations.TOOL_USE
    checked = 0
    for shown, messages in questions.items():
        if messages[0]["role"] == "system" or messages[-1]["role"] == "assistant":
            continue
        given = conversation_of([*told, *messages], ours.current_date, tools=tools)
        theirs = encoding.render_conversation_for_completion(given, Role.ASSISTANT, KEEPS_ANALYSIS)
        text = tokenizer.decode(theirs)
        for name, (pattern, _) in DECLARATION_DIFFERENCES.items():
            assert re.search(pattern, text), name
        wanted = with_differences(tokenizer, theirs, DECLARATION_DIFFERENCES.values())
        assert ours.prompt_tokens([*told, *messages], tools=tools) == wanted, shown
        checked += 1
    assert checked >= 60


def test_answers_are_read_as_harmony_reads_them(
    encoding: harmony.HarmonyEncoding,
    ours: GptOssMediumReasoningRenderer,
    conversations: dict[str, Any],
) -> None:
    checked = with_calls = 0
    for shown, messages in conversations.items():
        for index, message in enumerate(messages):
            # the sampling of two calls ends at the first
            if message["role"] != "assistant" or len(message.get("tool_calls", ())) > 1:
                continue
            tokens = ours.answer_tokens(message, prompt=ours.prompt_tokens(messages[:index]))
            thinking, text, calls = "", "", []
            for part in encoding.parse_messages_from_completion_tokens(tokens, Role.ASSISTANT):
                said = "".join(content.text for content in part.content)  # type: ignore[attr-defined]
                if part.recipient and part.recipient != "assistant":
                    calls.append((part.recipient.removeprefix("functions."), said))
                elif part.channel == "analysis":
                    thinking += said
                else:
                    text += said
            read, termination = ours.parse_response(tokens)
            assert termination.is_clean, shown
            assert (message_reasoning(read), message_text(read)) == (thinking, text), shown
            assert [(call.name, call.arguments) for call in calls_of(read)] == calls, shown
            checked += 1
            with_calls += bool(calls)
    assert checked >= 150
    assert with_calls >= 60


def test_control_tokens_stops_and_text_have_harmonys_ids(
    encoding: harmony.HarmonyEncoding,
    ours: GptOssMediumReasoningRenderer,
    conversations: dict[str, Any],
    hostile_texts: dict[str, str],
) -> None:
    tokenizer: Any = ours.tokenizer
    for control in (*ours.controls, *ours.stops, *ours.other_ends):
        (token,) = encoding.encode(control.spelling, allowed_special="all")
        assert tokenizer.convert_tokens_to_ids(control.spelling) == token
    assert sorted(ours.get_stop_sequences()) == sorted(encoding.stop_tokens_for_assistant_actions())
    texts = [text for messages in conversations.values() for m in messages for text in parts_of(m)]
    for text in [*texts, *hostile_texts.values()]:
        assert ours.codec.encode_texts([text])[0] == encoding.encode(text, disallowed_special=())
