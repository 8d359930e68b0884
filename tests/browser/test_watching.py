"""Watching: views and talk mode in the address, a hover box that stays, training further, a lost stream, forty runs at once."""

import sys
from collections.abc import Iterator
from typing import cast

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chart import time_range, wait_for_chart, zoom
from tests.browser.conftest import Visitor, free_port, running, visiting
from tests.frontend.many_runs import ManyRuns, create_many_runs
from tests.frontend.serving import served

CHART = "document.querySelector('.tau-chart')"


@pytest.fixture(scope="module")
def forty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard before an API with forty runs that all measure once a second."""
    with served(create_many_runs(ManyRuns())) as api:
        port = free_port()
        command = [sys.executable, "-m", "frontend", "--port", str(port), "--api-url", api]
        with running(command, f"http://127.0.0.1:{port}/_stcore/health", tmp_path_factory.mktemp("forty") / "log") as address:
            yield address


def watched(visitor: Visitor, address: str, query: str) -> Page:
    page = visitor.open(f"{address}/experiment?{query}")
    wait_for_chart(page)
    return page


def test_overlay_and_path_are_addresses(visitor: Visitor, stand_in: str) -> None:
    page = watched(visitor, stand_in, "id=demo")
    page.get_by_text("Overlay", exact=True).click()
    page.wait_for_function(f"{CHART}.layout.yaxis2?.overlaying === 'y'")
    visitor.keep("watch-overlay")
    page.get_by_text("Path", exact=True).click()
    page.wait_for_function("location.search.includes('view=path')")
    page.wait_for_function(f"{CHART}.data.some(t => t.marker?.colorbar)")
    visitor.keep("watch-path")
    drawn = page.evaluate(f"{CHART}.data.filter(t => t.marker?.colorscale).map(t => t.x.length)")
    assert drawn == [13, 16, 19]


def test_a_click_on_a_point_of_the_path_opens_its_samples(visitor: Visitor, stand_in: str) -> None:
    page = watched(visitor, stand_in, "id=demo&view=path")
    place = page.evaluate(
        f"""() => {{ const c = {CHART}, t = c.data.findLast(t => t.marker?.colorscale), l = c._fullLayout, box = c.getBoundingClientRect();
        return [box.x + l.xaxis._offset + l.xaxis.d2p(t.x[14]), box.y + l.yaxis._offset + l.yaxis.d2p(t.y[14])] }}"""
    )
    page.mouse.move(*place)
    page.mouse.click(*place)
    page.wait_for_function("location.pathname === '/inspect' && location.search.includes('step=')")


def test_t_shows_the_chart_alone_and_t_again_the_page(visitor: Visitor, stand_in: str) -> None:
    page = watched(visitor, stand_in, "id=demo")
    size = page.evaluate(f"{CHART}.layout.xaxis.tickfont.size")
    page.keyboard.press("t")
    page.wait_for_function("location.search.includes('talk=1')")
    page.wait_for_function(f"{CHART}.layout.xaxis.tickfont.size > 1.3 * {size}")
    expect(page.locator(".tau-side")).to_be_hidden()
    visitor.keep("watch-talk")
    page.keyboard.press("t")
    page.wait_for_function("!location.search.includes('talk')")
    expect(page.locator(".tau-side")).to_be_visible()


def test_the_hover_box_stays_while_points_arrive(visitor: Visitor, forty: str) -> None:
    page = watched(visitor, forty, "id=many")
    box = page.locator(".tau-chart .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    expect(page.locator(".tau-chart .hoverlayer .legend")).to_be_visible()
    drawn = page.evaluate("performance.getEntriesByName('tau-draw').length")
    page.wait_for_function(f"performance.getEntriesByName('tau-draw').length > {drawn} + 1")
    expect(page.locator(".tau-chart .hoverlayer .legend")).to_be_visible()


def test_forty_runs_grow_with_the_view_kept(browser: Browser, forty: str) -> None:
    with visiting(browser) as visitor:
        page = watched(visitor, forty, "id=many&n=80")
        seen = last_step(page)
        chosen = zoom(page)
        page.wait_for_function(f"{LAST_STEP} > {seen} + 2", timeout=60_000)
        assert time_range(page) == chosen
        assert page.evaluate(f"{CHART}.data.length") < 150
        visitor.keep("watch-forty")


LAST_STEP = f"Math.max(...{CHART}.data.filter(t => t.meta?.group).map(t => t.x.at(-1)))"


def last_step(page: Page) -> float:
    return cast(float, page.evaluate(LAST_STEP))


def test_finished_runs_are_trained_further_from_the_page(visitor: Visitor, stand_in: str) -> None:
    page = watched(visitor, stand_in, "id=demo")
    page.get_by_role("button", name="Extend").click()
    expect(page.get_by_text("n = 16: τ to 900; n = 32: τ to 2,200; n = 64: τ to 4,800")).to_be_visible()
    visitor.keep("watch-extend")
    page.get_by_role("button", name="Extend 3 runs").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_lost_stream_is_said_with_its_time_and_found_again(visitor: Visitor, forty: str) -> None:
    page = watched(visitor, forty, "id=many")
    page.route("**/events?**", lambda route: route.abort())
    page.evaluate("document.querySelector('.tau-watch').tauWatch.listen('0')")
    expect(page.get_by_text("Live connection lost at")).to_be_visible(timeout=15_000)
    page.unroute("**/events?**")
    expect(page.get_by_text("Live connection lost at")).to_be_hidden(timeout=30_000)
    visitor.faults = [fault for fault in visitor.faults if "ERR_FAILED" not in fault]
