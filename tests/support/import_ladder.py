"""Holds the imports of the core to the contracts of a pyproject.toml: a script for the tests.

Its one argument is the pyproject.toml; the core is the one that the script can import. Import
Linter says which import climbs. Of a circle it says only which modules it is between, so the lines
that make it are printed after its report. It looks for circles among siblings: one that a package's
own ``__init__`` is part of is found here.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

import grimp
from importlinter.cli import lint_imports


def lines_of(graph: grimp.ImportGraph, chain: tuple[str, ...]) -> Iterator[str]:
    """Where each module of a chain imports the next."""
    for importer, imported in itertools.pairwise(chain):
        details = graph.get_import_details(importer=importer, imported=imported)
        yield f"{importer}:{details[0]['line_number']} imports {imported}"


def circles(graph: grimp.ImportGraph) -> Iterator[str]:
    """The imports of each circle between the parts of a package, or of a part and the package."""
    for package in sorted(graph.modules):
        depth = package.count(".") + 2
        for importer, imported in sorted(graph.nominate_cycle_breakers(package)):
            start, end = (".".join(m.split(".")[:depth]) for m in (imported, importer))
            back = graph.find_shortest_chain(start, end, as_packages=True)
            yield f"a circle in {package}:"
            yield from lines_of(graph, (importer, imported))
            yield from lines_of(graph, back or ())
        for part in sorted(graph.find_descendants(package)):
            if graph.direct_import_exists(importer=part, imported=package):
                back = graph.find_shortest_chain(package, part)
                if back is not None:
                    yield f"a circle with {package} itself:"
                    yield from lines_of(graph, (part, *back))


if __name__ == "__main__":
    status = lint_imports(config_filenames=(sys.argv[1],), no_cache=True, no_logo=True)
    found = list(circles(grimp.build_graph("proctor", cache_dir=None)))
    print("\n".join(found))
    sys.exit(status or bool(found))
