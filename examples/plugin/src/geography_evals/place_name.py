"""The grader of place names."""

import unicodedata

from proctor import Example, Grader, Sample


class PlaceName(Grader):
    """Correct when the answer is the place, whatever its accents and its case."""

    accents: bool = False
    """Whether accents have to be right too."""

    def grade(self, example: Example, sample: Sample) -> bool:
        answer = self._plain(sample.text)
        return any(self._plain(target) == answer for target in example.targets)

    def _plain(self, name: str) -> str:
        decomposed = unicodedata.normalize("NFD", name.casefold())
        kept = (c for c in decomposed if self.accents or not unicodedata.combining(c))
        return " ".join("".join(kept).split()).rstrip(".!")
