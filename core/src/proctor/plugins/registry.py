"""Names to components: who registered what, and how a config's spec becomes an object."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Sequence

from proctor.errors import PluginError, UnknownComponentError
from proctor.plugins.core_names import FIRST_PARTY
from proctor.plugins.importing import Code, module_of
from proctor.plugins.plugin import Plugin, Registration


class Registry:
    """Every name that working plugins registered, with its owner.

    Args:
        plugins: The plugins that were found; what became of them explains why a name is unknown.
    """

    def __init__(self, plugins: Sequence[Plugin] = ()) -> None:
        self._by_name: dict[tuple[str, str], list[Registration]] = {}
        self._plugins = plugins

    @property
    def broken_plugins(self) -> list[str]:
        """One line for each plugin that could not be loaded, with its cause."""
        return [
            f"{plugin.qualified_name}: {problem.what}"
            for plugin in self._plugins
            if plugin.status == "broken"
            for problem in plugin.problems
        ]

    def add(self, registration: Registration) -> None:
        """Adds one registration; a second one of a bare name makes that name ambiguous."""
        self._by_name.setdefault((registration.kind, registration.name), []).append(registration)

    def of_kind(self, kind: str) -> list[Registration]:
        """All registrations of a kind, by name and then owner."""
        found = [r for (k, _), rs in self._by_name.items() if k == kind for r in rs]
        return sorted(found, key=lambda r: (r.name, r.distribution))

    def naming(self, code: Code, distribution: str | None) -> Registration | None:
        """The registration that names a class or a function.

        Args:
            code: The class or the function.
            distribution: Whose it is, so that a name which that one gave it through another of
                its modules is found too.
        """
        path = f"{module_of(code)}:{code.__qualname__}"
        known = [r for _, rs in sorted(self._by_name.items()) for r in rs]
        for registration in known:
            if registration.target == path or registration.target is code:
                return registration
        for registration in known:
            if registration.distribution == distribution:
                with contextlib.suppress(PluginError):
                    if registration.load() is code:
                        return registration
        return None

    def conflicts(self) -> list[list[Registration]]:
        """The groups of registrations that share a bare name."""
        return [rs for rs in self._by_name.values() if len(rs) > 1]

    def find(
        self, kind: str, name: str, where: str | None = None, others: Iterable[str] = ()
    ) -> Registration:
        """The registration that a bare or qualified name means.

        Args:
            kind: The kind of component.
            name: ``name`` or ``distribution/name``.
            where: The place that asks, for the error.
            others: More names that could have been meant, such as a config's own presets.

        Raises:
            UnknownComponentError: No working plugin has it, or two have the bare name.
        """
        bare = self._by_name.get((kind, name), [])
        if len(bare) == 1:
            return bare[0]
        if bare:
            owners = " and ".join(sorted(r.qualified_name for r in bare))
            raise UnknownComponentError(
                f"{kind} {name!r} is ambiguous: {owners}",
                where=where,
                fix="write the one you mean in full",
            )
        for registration in self.of_kind(kind):
            if registration.qualified_name == name:
                return registration
        raise UnknownComponentError(
            f"unknown {kind} {name!r}", where=where, fix=self._remedy(kind, name, others)
        )

    def _remedy(self, kind: str, name: str, others: Iterable[str]) -> str:
        """Where the name may be: in a plugin that doesn't work, in one to install, misspelt."""
        first, slash, _ = name.partition("/")
        ours = FIRST_PARTY.get((kind, first + slash))
        owner = ours or (first if slash else None)
        absent = [plugin for plugin in self._plugins if not plugin.is_working]
        owned = [plugin for plugin in absent if plugin.names & {name, owner}]
        if owned:
            return "; ".join(_absence(plugin) for plugin in owned)
        names = sorted({r.name for r in self.of_kind(kind)} | set(others))
        hints = []
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
        if near:
            hints.append(f"did you mean {' or '.join(repr(n) for n in near)}?")
        if ours and not any(ours in p.names for p in self._plugins):
            hints.append(f"pip install {ours}")
        if not hints:
            known = ", ".join(names) if names else "none"
            hints.append(f"known {kind}s: {known}")
        broken = [plugin for plugin in absent if plugin.status == "broken"]
        if len(broken) > 1:
            hints.extend(f"broken plugin {line}" for line in self.broken_plugins)
            hints.append("proctor plugins doctor says what to do")
        else:
            hints.extend(_absence(plugin) for plugin in broken)
        blocked = [plugin.qualified_name for plugin in absent if plugin.status == "blocked"]
        if blocked and not near:
            hints.append(f"left out: {', '.join(blocked)}")
        return "; ".join(hints)


def _absence(plugin: Plugin) -> str:
    if plugin.status == "blocked":
        return f"plugin {plugin.qualified_name} is left out, by --no-plugin or PROCTOR_PLUGINS"
    return f"broken plugin {plugin.qualified_name}: " + "; ".join(map(str, plugin.problems))
