"""What a chart in the browser shows, read from Plotly itself."""

from typing import cast

from playwright.sync_api import Page

_CHART = "document.querySelector('.tau-chart')"


def wait_for_chart(page: Page) -> None:
    """Until the chart is drawn."""
    page.wait_for_selector(".tau-chart .main-svg", timeout=60_000)


def points(page: Page, metric: str) -> int:
    """How many points of a metric are drawn, over all runs."""
    script = (
        f"{_CHART}.data.filter(t => t.meta?.bind?.metric === '{metric}' && t.mode === 'lines+markers').reduce((n, t) => n + t.x.length, 0)"
    )
    return cast(int, page.evaluate(script))


def wait_for_points(page: Page, metric: str, more_than: int, seconds: float = 30) -> int:
    """Wait until more points are drawn than there were."""
    script = f"""(least) => {_CHART}?.data?.filter(t => t.meta?.bind?.metric === '{metric}' && t.mode === 'lines+markers')
        .reduce((n, t) => n + t.x.length, 0) > least"""
    page.wait_for_function(script, arg=more_than, timeout=1000 * seconds)
    return points(page, metric)


def time_range(page: Page) -> list[float]:
    """The range of the time axis, in decades."""
    return cast(list[float], page.evaluate(f"[...{_CHART}._fullLayout.xaxis.range]"))


def zoom(page: Page) -> list[float]:
    """Drag over the middle of the quality panel, as a viewer would; returns the new range."""
    before = time_range(page)
    box = page.locator(".tau-chart .nsewdrag").first.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.2 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], y, steps=5)
    page.mouse.up()
    page.wait_for_function(f"(old) => {_CHART}._fullLayout.xaxis.range[0] !== old", arg=before[0])
    return time_range(page)
