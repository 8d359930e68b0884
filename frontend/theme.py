"""The design tokens of the dashboard: its type, and the colours that figures on paper have too; every colour on a page comes from here."""

from collections.abc import Sequence
from typing import Any

from tauscope.figures.palette import DARK, LIGHT, PALETTES, Palette, ThemeName, ink_on, n_colours, with_opacity

__all__ = [
    "DARK",
    "LIGHT",
    "MONO",
    "PALETTES",
    "SANS",
    "Palette",
    "ThemeName",
    "following_ink_on_n",
    "following_n_colours",
    "ink_on",
    "n_colours",
    "streamlit_options",
    "with_opacity",
]

SANS = "IBM Plex Sans"
MONO = "IBM Plex Mono"


def following_n_colours(count: int) -> tuple[str, ...]:
    """The scale for n in CSS that follows the viewer's theme at once, for what is drawn once and not fetched again."""
    return _following(n_colours(count, LIGHT), n_colours(count, DARK))


def following_ink_on_n(count: int) -> tuple[str, ...]:
    """Ink to read on each of these colours, in either theme."""
    return _following(*(tuple(map(ink_on, n_colours(count, palette))) for palette in (LIGHT, DARK)))


def _following(light: Sequence[str], dark: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"light-dark({day},{night})" for day, night in zip(light, dark, strict=True))


def streamlit_options() -> dict[str, Any]:
    """Streamlit's configuration: the tokens as its theme, no statistics sent, nothing asked of the terminal."""
    options: dict[str, Any] = {
        "browser.gatherUsageStats": False,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "theme.font": f"{SANS}, sans-serif",
        "theme.codeFont": f"{MONO}, monospace",
        "theme.baseFontSize": 14,
        "theme.baseRadius": "6px",
        "theme.buttonRadius": "6px",
        "theme.showWidgetBorder": True,
        "theme.headingFontSizes": ["22px", "17px", "14px"],
        "theme.headingFontWeights": [600, 600, 600],
    }
    for name, palette in PALETTES.items():
        options |= {f"theme.{name}.{option}": value for option, value in _streamlit_colours(palette).items()}
    return options


def _streamlit_colours(palette: Palette) -> dict[str, Any]:
    return {
        "primaryColor": palette.action,
        "backgroundColor": palette.page,
        "secondaryBackgroundColor": palette.surface,
        "textColor": palette.ink_1,
        "borderColor": palette.rule,
        "linkColor": palette.action,
        # Errors are ink: red means copied and nothing else.
        "redColor": palette.ink_1,
        "redBackgroundColor": palette.surface,
        "redTextColor": palette.ink_1,
        "yellowColor": palette.warning,
        "yellowBackgroundColor": palette.warning_fill,
        "yellowTextColor": palette.warning_text,
        "greenColor": palette.finished,
        "blueColor": palette.action,
        "blueBackgroundColor": palette.action_tint,
        "blueTextColor": palette.action,
    }
