"""Conversations that show what there is to render, each for one thing."""

from __future__ import annotations

import json
from collections.abc import Mapping

from proctor.types import Content, Message, Part, TextPart, ThinkingPart, ToolCall, ToolSpec

QUESTION = Message(role="user", content="What is the capital of France?")
_A = Message(role="assistant", content="Paris.")
_SYSTEM = Message(role="system", content="Answer in one word.")
_THOUGHT: list[Part] = [
    ThinkingPart(type="thinking", thinking="France's capital is Paris."),
    TextPart(type="text", text="Paris."),
]
_REASONED = Message(role="assistant", content=_THOUGHT)

_ARGUMENTS = {
    "text": "Paris, France",
    "lines": "a\nb",
    "number_as_text": "12",
    "empty": "",
    "integer": 12,
    "number": 1.5,
    "yes": True,
    "no": False,
    "none": None,
    "negative": -3,
    "list": [1, "b", None, True],
    "no_list": [],
    "object": {"deep": {"x": [], "off": False}},
    "no_object": {},
}
"""An argument of every type that JSON has."""

_TOOLS: list[ToolSpec] = [
    ToolSpec(
        name="weather",
        description="The weather now.",
        parameters={
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Which city."},
                "unit": {"type": "string", "enum": ["C", "F"]},
            },
            "required": ["city"],
        },
    ),
    ToolSpec(
        name="now",
        description="The time now.",
        parameters={"type": "object", "properties": {}, "required": []},
    ),
]


def _calling(content: Content, *calls: Mapping[str, object], first: int = 0) -> Message:
    """An assistant's message that calls the tool for the weather, with calls numbered on."""
    made = [
        ToolCall(
            id=f"functions.weather:{index}",
            function=ToolCall.FunctionBody(name="weather", arguments=json.dumps(arguments)),
        )
        for index, arguments in enumerate(calls, first)
    ]
    return Message(role="assistant", content=content, tool_calls=made)


def _result(text: str, index: int = 0) -> Message:
    call = f"functions.weather:{index}"
    return Message(role="tool", content=text, name="weather", tool_call_id=call)


CANONICAL: dict[str, list[Message]] = {
    "one question": [QUESTION],
    "a system message": [_SYSTEM, QUESTION],
    "several turns": [QUESTION, _A, Message(role="user", content="And of Germany?")],
    "several turns and a system message": [_SYSTEM, QUESTION, _A, QUESTION, _A, QUESTION],
    "thinking in the history": [QUESTION, _REASONED, QUESTION],
    "an empty answer": [QUESTION, Message(role="assistant", content=""), QUESTION],
    "an empty question": [Message(role="user", content="")],
    "unicode": [Message(role="user", content="Où est Zürich? 東京 🗼 é")],
    "lines and spaces inside": [Message(role="user", content="a\n\n b\t  c\n- d")],
    "spaces inside": [Message(role="user", content="a   b    c")],
    "code": [Message(role="user", content="```python\nprint('<b>x</b>')\n```")],
    "numbers": [Message(role="user", content="1,234.50 + 10 = ?")],
    "a tool call": [QUESTION, _calling("", {"city": "Paris"}), _result("22 C")],
    "a tool call after text": [QUESTION, _calling("Well.", {"city": "Paris"}), _result("22 C")],
    "every type of argument": [QUESTION, _calling("", _ARGUMENTS), _result("22 C")],
    "every type of argument after text": [QUESTION, _calling("Well.", _ARGUMENTS), _result("22 C")],
    "a result in JSON": [QUESTION, _calling("", {"city": "Paris"}), _result('{"t": 22}')],
    "a result of several lines": [QUESTION, _calling("", {}), _result("22 C\n\n- dry")],
    "a result that ends its line": [QUESTION, _calling("", {}), _result("22 C\n")],
    "unicode in an argument": [QUESTION, _calling("", {"city": "東京"}), _result("22 C")],
    "unicode in a result": [QUESTION, _calling("", {"city": "Paris"}), _result("22 °C, 晴れ")],
    "a call without arguments": [QUESTION, _calling("", {}), _result("22 C")],
    "several calls": [
        QUESTION,
        _calling("", {"city": "Paris"}, {"city": "Rome"}),
        _result("22 C"),
        _result("25 C", 1),
    ],
    "results out of order": [
        QUESTION,
        _calling("Well.", {"city": "Paris"}, {"city": "Rome"}),
        _result("25 C", 1),
        _result("22 C"),
    ],
    "calls in two rounds": [
        QUESTION,
        _calling("", {"city": "Paris"}),
        _result("22 C"),
        _calling("", {"city": "Rome"}, first=1),
        _result("25 C", 1),
    ],
    "an answer after a result": [
        QUESTION,
        _calling("", {"city": "Paris"}),
        _result("22 C"),
        Message(role="assistant", content="22 degrees."),
        QUESTION,
    ],
    "thinking beside a call": [QUESTION, _calling(_THOUGHT, {"city": "Paris"}), _result("22 C")],
    "thinking beside an earlier call": [
        QUESTION,
        _calling(_THOUGHT, {"city": "Paris"}),
        _result("22 C"),
        _REASONED,
        QUESTION,
    ],
    "thinking in two rounds": [
        QUESTION,
        _calling(_THOUGHT, {"city": "Paris"}),
        _result("22 C"),
        _calling(_THOUGHT, {"city": "Rome"}, first=1),
        _result("25 C", 1),
    ],
    "tools": [QUESTION],
    "tools and a system message": [_SYSTEM, QUESTION],
    "tools and a call": [QUESTION, _calling("", {"city": "Paris"}), _result("22 C")],
}
"""Conversations that a renderer is held against the tokenizer's own template with, by what they
show."""

DECLARED: dict[str, list[ToolSpec]] = {
    "tools": _TOOLS,
    "tools and a system message": _TOOLS,
    "tools and a call": _TOOLS,
}
"""The tools that conversations of ``CANONICAL`` declare."""

CALLING = frozenset(
    shown for shown, messages in CANONICAL.items() if any("tool_calls" in m for m in messages)
)
"""The conversations with tool calls."""
