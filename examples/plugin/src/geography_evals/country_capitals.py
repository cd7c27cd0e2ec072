"""The dataset of capitals."""

import csv
from collections.abc import Iterator
from importlib import resources
from typing import Literal

from proctor import Dataset, Example


class CountryCapitals(Dataset):
    """Capitals of countries."""

    continent: Literal["Africa", "Americas", "Asia", "Europe"] | None = None
    """Only the countries of this continent."""

    def examples(self) -> Iterator[Example]:
        table = (resources.files("geography_evals") / "capitals.csv").read_text(encoding="utf-8")
        for row in csv.DictReader(table.splitlines()):
            if self.continent in (None, row["continent"]):
                yield Example(
                    id=row["country"].lower().replace(" ", "-"),
                    input=f"What is the capital of {row['country']}?",
                    target=row["capital"],
                    metadata={"continent": row["continent"]},
                )
