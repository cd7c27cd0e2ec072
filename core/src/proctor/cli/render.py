"""``proctor render``: the tokens of a prompt, and whether they are the template's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from proctor.renderers import PromptToken, Renderer
    from proctor.renderers.tokenizers import Tokenizer
    from proctor.types import Message


@click.command(
    epilog="""\b
Examples:
  proctor render --model Qwen/Qwen3-8B "What is the capital of France?"
  proctor render --model ./my-model --renderer chat_template --system "Be brief." Hello
  proctor render --model Qwen/Qwen3-8B --renderer qwen3 --check
"""
)
@click.argument("text", required=False)
@click.option("--model", required=True, help="Whose tokenizer: a hub id, a folder, a GGUF file.")
@click.option("--renderer", help="The renderer; else the model's own.")
@click.option("--system", help="A system message.")
@click.option("--messages", type=click.Path(path_type=Path), help="A JSON file with messages.")
@click.option("--prefill", help="The start of the answer.")
@click.option("--check", is_flag=True, help="Compare with the tokenizer's own chat template.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def render(
    text: str | None,
    model: str,
    renderer: str | None,
    system: str | None,
    messages: Path | None,
    prefill: str | None,
    check: bool,
    as_json: bool,
) -> None:
    """Show the prompt for TEXT, a user's message, token by token.

    With --check, compare the renderer with the tokenizer's own chat template over a set of
    conversations, print the first difference of each, and exit with 1 where there is one.
    """
    from proctor.cli.terminal import echo_json
    from proctor.renderers import choose_renderer, describe_prompt, get_renderer
    from proctor.renderers.tokenizers import get_tokenizer

    tokenizer = get_tokenizer(model)
    name, reason = choose_renderer(name=renderer, model_name=model, tokenizer=tokenizer)
    made = get_renderer(name, tokenizer)
    if check:
        _check(made, tokenizer, name, as_json)
        return
    conversation = _conversation(text, system, messages)
    tokens = describe_prompt(made, conversation, prefill=prefill)
    if as_json:
        rows = [
            {"id": t.id, "text": t.text, "special": t.is_special}
            | ({"tokens": t.length} if t.id is None else {})
            for t in tokens
        ]
        echo_json({"renderer": name, "tokens": rows})
        return
    _print(name, reason, tokens)


def _conversation(text: str | None, system: str | None, messages: Path | None) -> list[Message]:
    if (text is None) == (messages is None):
        raise click.UsageError("give either TEXT or --messages")
    conversation: list[Message] = [{"role": "system", "content": system}] if system else []
    if text is not None:
        return [*conversation, {"role": "user", "content": text}]
    assert messages is not None
    try:
        read = json.loads(messages.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"can't read {messages}: {error}") from None
    if not isinstance(read, list) or not all(
        isinstance(m, dict) and {"role", "content"} <= m.keys() for m in read
    ):
        raise click.UsageError(f"{messages} holds no list of messages with role and content")
    return [*conversation, *read]


def _print(name: str, reason: str, tokens: list[PromptToken]) -> None:
    from rich.console import Console
    from rich.text import Text

    from proctor.cli.terminal import printable_line

    console = Console(highlight=False, soft_wrap=True, emoji=False)
    count = sum(token.length for token in tokens)
    console.print(f"{name} ({reason}), {count} tokens", markup=False)
    width = max((len(str(token.id)) for token in tokens), default=1)
    for token in tokens:
        line = Text(f"{'' if token.id is None else token.id:>{width}}  ", style="dim")
        shown = printable_line(token.text)
        line.append(shown, style="bold magenta" if token.is_special else "")
        if token.is_special:
            line.append("  special", style="dim")
        if token.id is None:
            line.append(f"  {token.length} tokens", style="dim")
        console.print(line)


def _check(renderer: Renderer, tokenizer: Tokenizer, name: str, as_json: bool) -> None:
    from proctor.cli.terminal import echo_json, printable
    from proctor.renderers import check_renderer

    differences = check_renderer(renderer, tokenizer)
    if as_json:
        echo_json([str(difference) for difference in differences])
    elif differences:
        for difference in differences:
            click.echo(printable(str(difference)))
    else:
        click.echo(f"{name} writes what the tokenizer's chat template writes")
    if differences:
        raise click.exceptions.Exit(1)
