"""What the gallery in the browser shows, read from its own canvases."""

from typing import cast

from playwright.sync_api import Page

_RED = "(canvas) => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data].filter((_, i) => i % 4 === 0)"


def wait_for_cards(page: Page) -> None:
    """Until the cards in sight are painted."""
    page.wait_for_function(
        "(() => { const all = [...document.querySelectorAll('.tau-sample canvas')];"
        " return all.length > 0 && all.every((canvas) => canvas.dataset.painted) })()",
        timeout=20_000,
    )


def wait_for_cards_of(page: Page, step: str) -> None:
    """Until every card is one of a checkpoint: the address changes first."""
    script = "(step) => [...document.querySelectorAll('.tau-sample')].every((card) => card.ariaLabel.includes(`τ ${step}`))"
    page.wait_for_function(script, arg=step)


def cards(page: Page) -> list[str]:
    """The labels of the cards that are elements of the page, in their order."""
    script = "[...document.querySelectorAll('.tau-sample')].sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).map((card) => card.ariaLabel)"
    return cast(list[str], page.evaluate(script))


def pixels_of_card(page: Page, seed: int, place: int = 0) -> list[int]:
    """The red channel of an image of a card: 0 the sample, 1 its nearest, 2 the second."""
    canvas = page.locator(f'.tau-sample[data-seed="{seed}"] canvas').nth(place)
    return cast(list[int], canvas.evaluate(_RED))


def pixels_of_image(page: Page, path: str) -> list[int]:
    """The red channel of an image of the API, of the run in the address."""
    script = f"""async (path) => {{
        const image = new Image();
        image.src = `/api/v1/runs/${{new URLSearchParams(location.search).get('run')}}/${{path}}`;
        await image.decode();
        const canvas = Object.assign(document.createElement('canvas'), {{ width: image.naturalWidth, height: image.naturalHeight }});
        canvas.getContext('2d').drawImage(image, 0, 0);
        return ({_RED})(canvas);
    }}"""
    return cast(list[int], page.evaluate(script, path))
