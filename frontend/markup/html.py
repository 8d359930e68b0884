"""HTML that cannot be broken by what it shows: every text is escaped unless it is itself ``Html``."""

import re
from html import escape


class Html(str):
    """Text that is already HTML."""


def text(value: object) -> Html:
    """Any value as HTML text."""
    return value if isinstance(value, Html) else Html(escape(str(value)))


def join(*parts: object) -> Html:
    """Parts one after another."""
    return Html("".join(text(part) for part in parts if part is not None))


def tag(name: str, *children: object, **attributes: object) -> Html:
    """An element; ``class_`` becomes ``class``, underscores hyphens; an attribute of ``None`` or ``False`` is left out."""
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None and value is not False}
    opened = "".join(f" {key}" if value is True else f' {key}="{escape(str(value))}"' for key, value in given.items())
    if name in {"img", "input"}:
        return Html(f"<{name}{opened}>")
    return Html(f"<{name}{opened}>{join(*children)}</{name}>")


TAU_GEN = Html("τ<sub>gen</sub>")
TAU_MEM = Html("τ<sub>mem</sub>")
TAU_TEST = Html("τ<sub>test</sub>")
TAU_SPLIT = Html("τ<sub>split</sub>")
F_MEM = Html("f<sub>mem</sub>")
_SIGNS = {"tau_gen": TAU_GEN, "tau_mem": TAU_MEM, "tau_test": TAU_TEST, "f_mem": F_MEM}


def signed(words: str) -> Html:
    """Words of the library with its names for the clocks written as everywhere on a page; a longer name that holds one stays."""
    return Html(re.sub(rf"\b({'|'.join(_SIGNS)})\b", lambda found: _SIGNS[found.group()], escape(words)))
