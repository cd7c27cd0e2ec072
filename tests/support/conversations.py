"""Conversations that renderers are held against their references with, by what each shows.

``PLAIN`` are what every format has a place for; ``PADDED`` have white space around messages, which
formats treat differently; ``THINKING`` and ``TOOL_USE`` are for the formats that know them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from proctor.types import ToolCall


def user(content: Any) -> Any:
    """A user's message."""
    return {"role": "user", "content": content}


def assistant(content: Any, *calls: ToolCall) -> Any:
    """An assistant's message, perhaps with tool calls."""
    message = {"role": "assistant", "content": content}
    return {**message, "tool_calls": list(calls)} if calls else message


def system(content: Any) -> Any:
    """A system message."""
    return {"role": "system", "content": content}


def parts(*texts: str) -> Any:
    """Content of several parts of text."""
    return [{"type": "text", "text": text} for text in texts]


def thought(thinking: str, text: str | None = None) -> Any:
    """Content that begins with thinking."""
    content = [{"type": "thinking", "thinking": thinking}]
    return content if text is None else [*content, *parts(text)]


def raw_call(arguments: str, index: int = 0, name: str = "weather") -> ToolCall:
    """A tool call, by the JSON of its arguments."""
    body = ToolCall.FunctionBody(name=name, arguments=arguments)
    return ToolCall(id=f"functions.{name}:{index}", function=body)


def call(index: int = 0, name: str = "weather", /, **arguments: Any) -> ToolCall:
    """A tool call, by its arguments."""
    return raw_call(json.dumps(arguments), index, name)


def result(text: str, index: int = 0, name: str = "weather") -> Any:
    """A tool's result."""
    called = f"functions.{name}:{index}"
    return {"role": "tool", "content": text, "name": name, "tool_call_id": called}


def calling(*calls: ToolCall, content: Any = "") -> list[Any]:
    """A question, calls, and the result of each."""
    results = [
        result(f"{20 + i} C", int(str(c.id).split(":")[1]), c.function.name)
        for i, c in enumerate(calls)
    ]
    return [user("Weather?"), assistant(content, *calls), *results]


def turns(*texts: str) -> list[Any]:
    """A conversation in which user and assistant take turns."""
    return [(assistant if i % 2 else user)(text) for i, text in enumerate(texts)]


_SHAPES = {
    "question": turns("What is the capital of France?"),
    "system": [system("Answer in one word."), user("Capital of France?")],
    "two turns": turns("a", "b", "c"),
    "three turns and system": [
        system("Be brief."),
        *turns("One?", "Uno.", "Two?", "Dos.", "Three?"),
    ],
    "empty question": turns(""),
    "empty answer": turns("a", "", "b"),
    "empty system": [system(""), user("a")],
    "answer at the end": turns("a", "b"),
    "answer at the end and system": [system("s"), *turns("a", "b", "c", "d")],
    "text parts": [user(parts("one part"))],
    "several text parts": [user(parts("one ", "two", "\nthree"))],
    "an answer in parts": [user("a"), assistant(parts("b", " c")), user("d")],
    "system in parts": [system(parts("Be ", "brief.")), user("a")],
    "two questions in a row": [user("a"), user("b")],
    "two answers in a row": [user("a"), assistant("b"), assistant("c"), user("d")],
    "an empty question between": turns("a", "b", "", "c", "d"),
    "twelve turns": turns(*(f"Turn {n}." for n in range(25))),
    "long": turns("The quick brown fox jumps over the lazy dog. " * 30 + "End."),
    "a long system message": [system("Rule: be exact.\n" * 40 + "End."), user("a")],
    "a long answer": turns("a", "Well, it depends. " * 60 + "End.", "b"),
}
_TEXTS = {
    "unicode": ["Où est Zürich? 東京 🗼\u200d é ﬁ", "ñandú", "…"],
    "lines inside": ["a\n\nb\n- c\r\n\td", "x\n\n\ny", "z"],
    "spaces inside": ["a   b\t\tc  d", "e    f", "g"],
    "code": ["```python\nif a < b:\n    print('<b>x</b>')\n```"],
    "arabic": ["ما هي عاصمة فرنسا؟", "باريس، بالطبع.", "شكراً"],
    "hebrew and latin": ["מהי הבירה של France (צרפת)?", "Paris — פריז", "תודה"],
    "devanagari": ["फ्रांस की राजधानी क्या है?", "पेरिस है।", "धन्यवाद"],
    "thai": ["เมืองหลวงของฝรั่งเศสคืออะไร", "ปารีสครับ", "ขอบคุณ"],
    "korean": ["프랑스의 수도는 어디인가요?", "파리입니다.", "감사합니다"],
    "japanese": ["フランスの首都はどこですか？", "パリです。カタカナとひらがな。", "ありがとう"],
    "chinese": ["法国的首都是哪里？请用一个词回答。", "巴黎。", "谢谢"],
    "chinese with digits and latin": [
        "2024年3月14日，GPT用了3.14TB数据吗？",
        "是的，v2用了。",
        "好",
    ],
    "cyrillic and greek": [
        "Какая столица Франции? Ποια είναι η πρωτεύουσα;",
        "Париж — Παρίσι",
        "Да",
    ],
    "composed twice": [
        "Cafe\u0301 tie\u0302\u0301ng Vie\u0323\u0302t",
        "A\u030angstro\u0308m",
        "o\u0303",
    ],
    "emoji": ["👩🏽‍🚀👨‍👩‍👧‍👦🇫🇷 1️⃣ ☺️", "🏳️‍🌈!", "🙃🙃🙃"],
    "mathematics": ["∀x∈ℝ: ∫₀^∞ e^{-x²}dx ≤ √π/2 ± 𝜀", "≈ 0.886…", "⊂⊆⇒"],
    "rare scripts": ["𒀀𒁀 ᚠᚢᚦ 𐌰𐌱 ꦲꦏ \ue000", "ⲁⲃ", "ᎣᏏᏲ"],
    "invisible characters": ["a\u200bb\u200dc\ufeffd\u2060e\u00adf", "x\u200ey", "z"],
    "spaces of unicode": ["a\u00a0b\u2003c\u3000d\u202fe", "f\u2028g\u2029h\u0085i", "j\x0bk\x0cl"],
    "control characters": ["bell\x07 escape\x1b[31mred\x1b[0m", "\x01\x7f", "d"],
    "numbers": ["1,234.50 + 0x1F - 1e-9 = ?", "1235.4999", "12345678901234567890"],
    "long digits": ["3141592653589793238462643383279", "271828182845904523536", "007"],
    "dates and units": ["2024-03-14T15:09:26Z, 37.5°C, 5'11\", 10km/h, $4.99", "50%", "£3"],
    "contractions": ["I'm, you've, WE'LL, it'S, don't, 'tis, rock'n'roll", "they'd", "y'all're"],
    "identifiers": [
        "camelCaseName snake_case_name SCREAMING_CASE kebab-case XMLHttpRequest2",
        "A1b2",
        "x",
    ],
    "punctuation": ["!?!?... --- *** ((([[[{{{}}}]]])))", ":-) ;)", "..."],
    "only punctuation": ["?", "!", "…"],
    "only digits": ["42", "7", "0"],
    "repeated letters": ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "hmmmmmmmm", "zzzz"],
    "a long word": [
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamter?",
        "Ja",
        "ok",
    ],
    "json": ['{"a": [1, 2.0, null], "b": {"c": "d\\n"}}', '{"ok":true}', "[]"],
    "html": ['<div class="a">x &amp; y<br/></div><!-- c -->', "<p>ok</p>", "</div>"],
    "yaml": ["a:\n  - b: 1\n  - c: 'd'\n---\ne: |\n  f", "x: y", "z:"],
    "a table": ["| a | b |\n|---|:-:|\n| 1 | 2 |", "a\tb\n1\t2", "a,b\n1,2"],
    "markdown": ["# T\n\n* a\n  1. b\n\n> q **b** _i_ `c`\n\n---", "## U", "[l](u)"],
    "latex": [
        "$\\frac{a}{b} \\le \\sum_{i=1}^{n} x_i^2$ \\\\ \\begin{align}x&=1\\end{align}",
        "\\(y\\)",
        "$$",
    ],
    "addresses": [
        "https://a.example/b?c=d&e=f#g, me@b.example, /usr/lib, C:\\dir\\file.txt",
        "ok",
        "~",
    ],
    "sql": ["SELECT a, COUNT(*) FROM t WHERE b <> 'c''d' GROUP BY 1;", "UPDATE t SET a=1", "--"],
    "a diff": ["@@ -1,2 +1,2 @@\n-old\n+new\n context", "--- a\n+++ b", "+"],
    "tabs": ["int main() {\n\tif (x) {\n\t\treturn 0;\n\t}\n}", "y\tz", "z"],
    "deep indentation": [
        "def f():\n    for a in b:\n        if a:\n            return  # c",
        "x\n     y",
        "z",
    ],
    "shell": ["$ ls -la | grep 'a b' > /dev/null 2>&1 && echo \"$?\"", "total 0", "#!"],
    "base64": ["aGVsbG8gd29ybGQhIQ== 0xDEADBEEF d41d8cd98f00b204e9800998ecf8427e", "Zg==", "=="],
    "quotes": ["“a” ‘b’ «c» „d“ \"e\" 'f' `g`", "''", '""'],
    "letters that are alike": ["ﬁ ½ ² Ⅳ ａｂｃ Å ſ ı İ", "ǆ", "ß"],
    "blank lines": ["a\n \n  \n\nb", "c\n\n\n\n\nd", "e\r\n\r\nf"],
    "ends without a full stop": ["Continue: the", "answer is", "and"],
}
PLAIN: dict[str, list[Any]] = _SHAPES | {shown: turns(*texts) for shown, texts in _TEXTS.items()}
PADDED: dict[str, list[Any]] = {
    "lines before": turns("\n\nlead", "\nlead", "\n"),
    "space around": [system(" s "), *turns("  padded \n\n", " x \n", " ")],
    "lines behind": turns("a\n", "b\n\n", "c \n"),
    "tabs before": turns("\ta", "\t\tb", "c\t"),
    "a padded answer at the end": turns("a", " \nb \n"),
}
THINKING: dict[str, list[Any]] = {
    "thinking before": [user("a"), assistant(thought("hm\n\nwell", "b")), user("c")],
    "only thinking before": [user("a"), assistant(thought("hm")), user("c")],
    "thinking twice": [
        system("s"),
        *[user("a"), assistant(thought("hm", "b")), user("c")],
        *[assistant(thought("so", "d")), user("e")],
    ],
    "thinking at the end": [user("a"), assistant(thought("hm", "b"))],
    "only thinking at the end": [user("a"), assistant(thought("hm"))],
    "thinking once in three turns": [
        *turns("a", "b", "c"),
        *[assistant(thought("so", "d")), user("e"), assistant("f"), user("g")],
    ],
    "thinking before and at the end": [
        *[user("a"), assistant(thought("hm", "b"))],
        *[user("c"), assistant(thought("so", "d"))],
    ],
    "padded thinking": [user("a"), assistant(thought("\n hm \n", "b")), user("c")],
    "padded thinking at the end": [user("a"), assistant(thought("\n hm \n\n", "\n\nb"))],
    "long thinking": [user("a"), assistant(thought("Let me see.\n\n" * 40, "b")), user("c")],
    "thinking in other scripts": [user("a"), assistant(thought("东京は…🗼", "é")), user("c")],
    "two pieces of thinking": [
        user("a"),
        assistant([*thought("one", "1"), *thought("two", "2")]),
        user("c"),
    ],
    "two answers that think": [
        *[user("a"), assistant(thought("one", "1"))],
        *[assistant(thought("two", "2")), user("b")],
    ],
}

_ARGUMENTS = {
    "text": '{"city": "Paris"}',
    "text like a number": '{"city": "12"}',
    "text like true": '{"city": "true"}',
    "text like null": '{"city": "null"}',
    "text like a list": '{"city": "[1, 2]"}',
    "an integer": '{"days": 3}',
    "a negative integer": '{"days": -3}',
    "a big integer": '{"days": 12345678901234567890123}',
    "a number": '{"ratio": 0.25}',
    "a whole number with a point": '{"ratio": 2.0}',
    "an exponent": '{"ratio": 1.5e-9}',
    "a large exponent": '{"ratio": 1e22}',
    "true": '{"deep": true}',
    "false": '{"deep": false}',
    "null": '{"deep": null}',
    "a list": '{"days": [1, "b", null, true]}',
    "an object": '{"options": {"b": 1, "a": {"c": [{"d": false}]}}}',
    "an empty object": '{"options": {}}',
    "an empty list": '{"days": []}',
    "an empty text": '{"city": ""}',
    "letters beyond ascii": '{"city": "Zürich, 東京"}',
    "emoji": '{"city": "🗼👩🏽‍🚀"}',
    "escaped letters": '{"city": "Z\\u00fcrich"}',
    "quotes and backslashes": '{"city": "a \\"b\\" \\\\ c/d \'e\'"}',
    "lines": '{"city": "a\\nb\\n\\nc\\td"}',
    "spaces around": '{"city": "  a  "}',
    "markup": '{"city": "<a href=\'x\'>&amp;</a>"}',
    "several of all types": '{"city": "Rome", "days": 2, "ratio": 0.5, "deep": true, "z": null}',
    "keys out of order": '{"z": 1, "a": 2, "m": 3}',
    "a key with a space": '{"the city": "Paris", "größe": 1}',
    "none": "{}",
    "compact": '{"city":"Paris","days":[1,2]}',
    "spread over lines": '{\n  "city": "Paris",\n  "days": [\n    1\n  ]\n}',
}
_MANY = [calling(call(n, city=f"City {n}"))[1:] for n in range(6)]


def _flat(groups: Sequence[Sequence[Any]]) -> list[Any]:
    return [message for group in groups for message in group]


TOOL_USE: dict[str, list[Any]] = {
    **{f"argument: {shown}": calling(raw_call(text)) for shown, text in _ARGUMENTS.items()},
    "call": calling(call(0, city="Paris", days=2, ratio=0.5, deep={"a": [1, "b"]})),
    "call after text": calling(call(0, city="Rome"), content="Let me see."),
    "call after lines of text": calling(call(0, city="Rome"), content="First:\n\n- look it up"),
    "call after parts": calling(call(0, city="Rome"), content=parts("Let me ", "see.")),
    "two calls": calling(call(0, city="Paris"), call(1, city="Rome")),
    "three calls after text": calling(
        call(0, city="Paris"), call(1, city="Rome"), call(2, city="Bonn"), content="All three."
    ),
    "calls of two tools": calling(call(0, city="Paris"), call(1, "now")),
    "the same call twice": calling(call(0, city="Paris"), call(1, city="Paris")),
    "results out of order": [
        *calling(call(0, city="Paris"), call(1, city="Rome"))[:2],
        *[result("in Rome", 1), result("in Paris", 0)],
    ],
    "a call at the end": calling(call(0, city="Paris"))[:2],
    "a call after text at the end": calling(call(0, city="Paris"), content="Well.")[:2],
    "a call after thinking at the end": calling(call(0), content=thought("hm", "Well."))[:2],
    "system and call": [system("s"), *calling(call(0, city="Paris"))],
    "call, answer, question": [
        *[system("s"), *calling(call(0, city="Paris"))[:2], result('{"t": 22}\n')],
        *[assistant("It is 22."), user("Thanks")],
    ],
    "call after thinking": calling(call(0, city="Paris"), content=thought("I need it.", "ok")),
    "call after thinking only": calling(call(0, city="Paris"), content=thought("I need it.")),
    "two calls after thinking": calling(call(0), call(1, "now"), content=thought("Both.", "ok")),
    "answer after thinking twice": [
        *calling(call(0, city="Paris"), content=thought("I need it.")),
        *[assistant(thought("Now I know.", "It is 22.")), user("x")],
    ],
    "answer at the end of a tool turn": [*calling(call(0, city="Paris")), assistant("It is 22.")],
    "thinking at the end of a tool turn": [
        *calling(call(0, city="Paris"), content=thought("I need it.")),
        assistant(thought("Now I know.", "It is 22.")),
    ],
    "result in json": [*calling(call(0))[:2], result('{"t": 22, "sky": ["blue", null]}')],
    "result of lines": [*calling(call(0))[:2], result("a\n\n  b\n- c")],
    "padded result": [*calling(call(0))[:2], result("\n 22 C \n")],
    "empty result": [*calling(call(0))[:2], result("")],
    "result in other scripts": [*calling(call(0))[:2], result("气温 22°C 🌤")],
    "long result": [*calling(call(0))[:2], result("22 C, 23 C, " * 80)],
    "result in parts": [*calling(call(0))[:2], {**result(""), "content": parts("22 ", "C")}],
    "a second call after the result": [
        *calling(call(0, city="Paris")),
        *calling(call(1, city="Rome"))[1:],
    ],
    "a second call after text": [
        *calling(call(0, city="Paris")),
        *calling(call(1, city="Rome"), content="And now Rome.")[1:],
    ],
    "calls with thinking between": [
        *calling(call(0, city="Paris"), content=thought("First Paris.")),
        *calling(call(1, city="Rome"), content=thought("Then Rome.", "Now Rome."))[1:],
        assistant(thought("Done.", "20 and 20.")),
        user("Thanks"),
    ],
    "calls with thinking between, going on": [
        *calling(call(0, city="Paris"), content=thought("First Paris.")),
        *calling(call(1, city="Rome"), content=thought("Then Rome."))[1:],
    ],
    "a question after a result": [*calling(call(0, city="Paris")), user("Well?")],
    "tools in two turns": [
        *[*calling(call(0, city="Paris")), assistant("20 C.")],
        *[*calling(call(1, city="Rome")), assistant("20 C.")],
        user("Thanks"),
    ],
    "thinking before a tool turn": [
        *[user("a"), assistant(thought("hm", "b"))],
        *calling(call(0, city="Paris")),
    ],
    "six calls one by one": [user("Weather?"), *_flat(_MANY), assistant("Done."), user("x")],
    "an empty answer after a result": [*calling(call(0, city="Paris")), assistant(""), user("x")],
}
ALL = PLAIN | PADDED | THINKING | TOOL_USE


def in_one_part(messages: Sequence[Any]) -> list[Any]:
    """A conversation in which content of several parts of text is a string, as references want."""
    joined = []
    for message in messages:
        content = message["content"]
        if not isinstance(content, str) and all(part["type"] == "text" for part in content):
            message = {**message, "content": "".join(part["text"] for part in content)}
        joined.append(message)
    return joined


def has_thinking(messages: Sequence[Any]) -> bool:
    """Whether a message of a conversation has thinking."""
    contents = [m["content"] for m in messages if not isinstance(m["content"], str)]
    return any(part["type"] == "thinking" for content in contents for part in content)


def has_tools(messages: Sequence[Any]) -> bool:
    """Whether a tool is called in a conversation."""
    return any("tool_calls" in message for message in messages)
