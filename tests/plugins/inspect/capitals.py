"""A dataset and a grader for runs in these tests, by import path."""

from __future__ import annotations

from collections.abc import Iterator

import proctor


class Capitals(proctor.Dataset):
    """Six capitals."""

    def examples(self) -> Iterator[proctor.Example]:
        for country, capital in {
            "France": "Paris",
            "Germany": "Berlin",
            "Italy": "Rome",
            "Peru": "Lima",
            "Kenya": "Nairobi",
            "Chile": "Santiago",
        }.items():
            yield proctor.Example(
                country.lower(),
                f"Capital of {country}?",
                capital,
                metadata={"continent": "Europe" if len(country) > 5 or country == "Italy" else "?"},
            )


class Contains(proctor.Grader):
    """Correct when the answer contains the target."""

    def grade(self, example: proctor.Example, sample: proctor.Sample) -> bool:
        if "broken" in sample.text:
            raise ValueError("the grader broke")
        return example.targets[0] in sample.text
