"""The colours of figures and pages by role, in a light and a dark theme, and the scale for n. The dashboard takes them from here."""

from dataclasses import dataclass, fields
from typing import Literal

ThemeName = Literal["light", "dark"]


@dataclass(frozen=True)
class Palette:
    """The colours of one theme by role. Red (memorization) means copied and nothing else."""

    page: str
    surface: str
    ink_1: str
    ink_2: str
    ink_3: str
    rule: str
    grid: str
    action: str
    action_tint: str
    quality: str
    memorization: str
    control: str
    warning: str
    warning_text: str
    warning_fill: str
    finished: str
    window_opacity: float
    n_scale: tuple[str, ...]

    def css_variables(self) -> dict[str, str]:
        """The colours as custom properties, ``--tau-<role>``."""
        colours = {item.name: getattr(self, item.name) for item in fields(self)}
        return {f"--tau-{name.replace('_', '-')}": value for name, value in colours.items() if isinstance(value, str)}


LIGHT = Palette(
    page="#F4F6F8",
    surface="#FFFFFF",
    ink_1="#14181F",
    ink_2="#4A5361",
    ink_3="#667080",
    rule="#DCE1E8",
    grid="#EBEEF2",
    action="#34409A",
    action_tint="#EEF0FA",
    quality="#006F8A",
    memorization="#C7341E",
    control="#6B7585",
    warning="#B58300",
    warning_text="#7A5200",
    warning_fill="#FDF4DC",
    finished="#2F6B3A",
    window_opacity=0.10,
    n_scale=("#7B8FE0", "#6577D0", "#5361BC", "#4549A2", "#3A3486", "#2E2268", "#20124A"),
)

DARK = Palette(
    page="#0E1217",
    surface="#151A21",
    ink_1="#EEF1F5",
    ink_2="#B4BDC9",
    ink_3="#8E99A8",
    rule="#2E3642",
    grid="#222932",
    action="#A9B4FF",
    action_tint="#20263F",
    quality="#45C4D0",
    memorization="#FF7A5C",
    control="#98A3B2",
    warning="#F2C14E",
    warning_text="#F2C14E",
    warning_fill="#332A14",
    finished="#7CC58A",
    window_opacity=0.13,
    n_scale=("#6672CC", "#7F89DA", "#99A1E7", "#B2B9F1", "#CACFF8", "#E1E4FC", "#F6F7FF"),
)

PALETTES: dict[ThemeName, Palette] = {"light": LIGHT, "dark": DARK}

# Which of the seven steps of the scale stand for so many sizes; lightness stays monotone in n.
_POSITIONS: dict[int, tuple[int, ...]] = {1: (5,), 2: (1, 5), 3: (0, 3, 6), 4: (0, 2, 4, 6), 5: (0, 2, 3, 5, 6), 6: (0, 1, 2, 4, 5, 6)}


def n_colours(count: int, palette: Palette) -> tuple[str, ...]:
    """Colours for ``count`` training-set sizes, small to large; beyond seven the scale is interpolated."""
    scale = palette.n_scale
    if count in _POSITIONS:
        return tuple(scale[position] for position in _POSITIONS[count])
    return tuple(_along(scale, index * (len(scale) - 1) / max(count - 1, 1)) for index in range(count))


def _along(scale: tuple[str, ...], position: float) -> str:
    lower = min(int(position), len(scale) - 2)
    share = position - lower
    pairs = zip(_rgb(scale[lower]), _rgb(scale[lower + 1]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)


def with_opacity(colour: str, opacity: float) -> str:
    """The colour as ``rgba(...)``."""
    red, green, blue = _rgb(colour)
    return f"rgba({red},{green},{blue},{opacity:g})"


def ink_on(colour: str) -> str:
    """Black or white, whichever is the easier to read on a colour; one of them always has a contrast above 4.5:1."""
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in (part / 255 for part in _rgb(colour))]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.179 else "#FFFFFF"


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
