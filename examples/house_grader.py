"""A plugin in one file: no packaging, no installation.

Use it with ``proctor --plugin ./house_grader.py run evals.yaml``, or name it in the config:
``plugins: [./house_grader.py]``.
"""

import proctor


class StartsWith(proctor.Grader):
    """Correct when the answer starts with a target."""

    ignore_case: bool = True
    """Compare without regard to case."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        answer = self._plain(sample.text)
        return any(answer.startswith(self._plain(target)) for target in example.targets)

    def _plain(self, text: str) -> str:
        return text.strip().casefold() if self.ignore_case else text.strip()


@proctor.hookimpl
def proctor_register(registry):
    registry.grader("starts_with", StartsWith)
