"""The regex grader."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import regex
from pydantic import Field, field_validator, model_validator

from proctor import Example, Grade, Grader, Sample
from proctor_text.normalization import collapse_space, fold_case, quoted, quoted_any, unify_unicode
from proctor_text.targets import usable_targets

_WIDE_MARK = regex.compile(r"([：，；！？])(?!\s)")


class Regex(Grader):
    """Correct when the pattern's last match in the answer is the target, or any of several."""

    version: ClassVar[int] = 2
    proportion: ClassVar[bool | None] = True

    pattern: str
    """A regular expression, as in Python's re; write (?s) or (?m) in front for its modes.
    It is matched against the answer without the space around it."""
    group: int | str | None = None
    """What is compared: this group; without it, the first group that took part in the match, and
    the whole match where the pattern has no groups."""
    full_match: bool = False
    """The pattern must match the whole answer."""
    ignore_case: bool = True
    """Match and compare without regard to case."""
    timeout: float = Field(default=5.0, gt=0)
    """Seconds after which a match is given up: that answer is ungraded, not wrong."""

    @field_validator("pattern")
    @classmethod
    def _check_pattern(cls, pattern: str) -> str:
        try:
            regex.compile(pattern)
        except regex.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _check_group(self) -> Self:
        compiled = self._compiled()
        known = [*range(compiled.groups + 1), *compiled.groupindex]
        if self.group is not None and self.group not in known:
            groups = ", ".join(str(group) for group in known)
            raise ValueError(f"the pattern has no group {self.group!r}; its groups: {groups}")
        return self

    def check_example(self, example: Example) -> None:
        """Refuses a row with empty targets only, which no match is compared with."""
        usable_targets(example)

    def grade(self, example: Example, sample: Sample) -> Grade:
        """Compares the last match with each target.

        Raises:
            ValueError: The pattern takes too long on this answer.
        """
        targets = usable_targets(example)
        read = self._last_match(sample.text)
        if read is None:
            return Grade(0.0, f"the pattern matches nothing, want {quoted_any(targets)}")
        if any(self._normalize(read) == self._normalize(target) for target in targets):
            return Grade(1.0, f"read {quoted(read)}")
        return Grade(0.0, f"read {quoted(read)}, want {quoted_any(targets)}")

    def extract_answer(self, example: Example, sample: Sample) -> str | None:
        """The last match in the spelling in which it is compared; the first target's if right."""
        read = self._last_match(sample.text)
        if read is None:
            return None
        aliases = [self._normalize(target) for target in example.targets if target.strip()]
        return aliases[0] if self._normalize(read) in aliases else self._normalize(read)

    def _compiled(self) -> Any:
        return regex.compile(self.pattern, regex.IGNORECASE if self.ignore_case else 0)

    def _normalize(self, text: str) -> str:
        text = collapse_space(unify_unicode(text))
        return fold_case(text) if self.ignore_case else text

    def _last_match(self, text: str) -> str | None:
        """What the last match captured, in the first spelling of the answer that matches.

        A full-width colon stands for one with its space, too. The pattern may itself hold a curly
        quote or the like, which only the answer's own spelling has.
        """
        spellings = [unify_unicode(text), unify_unicode(_WIDE_MARK.sub(r"\1 ", text)), text]
        for spelling in dict.fromkeys(map(str.strip, spellings)):
            found = self._last_captured(spelling)
            if found is not None:
                return found
        return None

    def _last_captured(self, text: str) -> str | None:
        """What the last match captured; empty captures don't count."""
        compiled, last = self._compiled(), None
        try:
            if self.full_match:
                whole = compiled.fullmatch(text, timeout=self.timeout)
                matches = [whole] if whole else []
            else:
                matches = compiled.finditer(text, timeout=self.timeout)
            for match in matches:
                last = self._captured(match) or last
        except TimeoutError:
            raise ValueError(
                f"the pattern {self.pattern!r} took more than {self.timeout:g} s on this answer"
            ) from None
        return last

    def _captured(self, match: Any) -> str | None:
        if self.group is not None:
            captured = match.group(self.group)
        elif match.re.groups:
            captured = next((group for group in match.groups() if group), None)
        else:
            captured = match.group()
        return captured if captured and captured.strip() else None
