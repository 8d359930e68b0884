"""A sweep's document as a form sees it: what each path is set to, by the base, by an axis or by an override."""

import copy
from collections.abc import Mapping
from typing import Any

from frontend.form.values import Axis, By, FormError, One, Setting
from frontend.markup.settings import axis_name
from tauscope.specs.sweep import axis_text


class Sweep:
    """A sweep's document that may be changed; ``aliases`` turn short names of axes into paths."""

    def __init__(self, document: Mapping[str, Any], aliases: Mapping[str, str]) -> None:
        self.document = copy.deepcopy(dict(document))
        self._aliases = aliases
        for part in ("axes", "overrides"):
            self.document[part] = dict(self.document.get(part) or {})

    @property
    def base(self) -> dict[str, Any]:
        """What holds for every run where nothing else is said."""
        found: dict[str, Any] = self.document["base"]
        return found

    @property
    def axes(self) -> dict[str, Any]:
        """The axes by the name they were given."""
        found: dict[str, Any] = self.document["axes"]
        return found

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that an axis or an override decides."""
        return tuple(dict.fromkeys(self._path(name) for name in (*self.axes, *self.document["overrides"])))

    def find(self, path: str) -> tuple[bool, Any]:
        """Whether the base has a path, and its value."""
        node: Any = self.base
        for part in path.split("."):
            if not isinstance(node, Mapping) or part not in node:
                return False, None
            node = node[part]
        return True, node

    def setting(self, path: str) -> Setting | None:
        """The axis or override that decides a path; nothing where the base does."""
        override = self._named(self.document["overrides"], path)
        if override is not None:
            return self._by(self.document["overrides"][override])
        axis = self._named(self.axes, path)
        return Axis(tuple(self.axes[axis])) if axis is not None else None

    def set(self, path: str, setting: Setting) -> None:
        """Let a path be decided so, and by nothing else.

        Raises:
            FormError: if it depends on an axis that is not there, or not for every value of it.
        """
        override = self._dependence(path, setting) if isinstance(setting, By) else None
        before = self._named(self.document["overrides"], path) or self._short(path)
        self.document["overrides"] = {name: item for name, item in self.document["overrides"].items() if self._path(name) != path}
        axis = self._named(self.axes, path)
        if override is not None:
            self.document["overrides"][before] = override
            self.axes.pop(axis or "", None)
        elif isinstance(setting, Axis):
            self.axes[axis or self._short(path)] = list(setting.values)
        elif isinstance(setting, One) and axis is not None:
            # An axis stays one with a single value: runs keep their names, and other fields may depend on it.
            self.axes[axis] = [setting.value]
        elif isinstance(setting, One):
            self._put(path, setting.value)

    def _put(self, path: str, value: Any) -> None:
        *parents, leaf = path.split(".")
        node = self.base
        for part in parents:
            if not isinstance(node.get(part), dict):
                node[part] = {}
            node = node[part]
        node[leaf] = value

    def _by(self, override: Mapping[str, Any]) -> By:
        values = {str(key): value for key, value in override["values"].items()}
        keys = [axis_text(value) for value in self.axes.get(override["by"], ())]
        complete = keys and all(key in values for key in keys)
        return By(axis_name(override["by"]), tuple(values[key] for key in keys) if complete else values)

    def _dependence(self, path: str, setting: By) -> dict[str, Any]:
        axis = next((name for name in self.axes if setting.axis in (name, self._path(name), axis_name(name))), None)
        if axis is None:
            known = ", ".join(axis_name(name) for name in self.axes) or "none yet"
            raise FormError(path, f"{setting.axis!r} is no axis", f"Give that field several values first; axes are: {known}")
        if isinstance(setting.values, dict):
            return {"by": axis, "values": setting.values}
        keys = [axis_text(value) for value in self.axes[axis]]
        if len(setting.values) != len(keys):
            raise FormError(
                path,
                f"{len(setting.values)} values for {len(keys)} values of {axis_name(axis)}",
                f"Give one for each of {', '.join(keys)}, in this order, or a single one without 'by'",
            )
        return {"by": axis, "values": dict(zip(keys, setting.values, strict=True))}

    def _named(self, names: Mapping[str, Any], path: str) -> str | None:
        return next((name for name in names if self._path(name) == path), None)

    def _path(self, name: str) -> str:
        return self._aliases.get(name, name)

    def _short(self, path: str) -> str:
        return next((short for short, long in self._aliases.items() if long == path), path)
