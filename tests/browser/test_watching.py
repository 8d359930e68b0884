"""Watching: views and talk mode in the address, a hover box that stays, what its owner asks of it, a lost stream, forty runs at once."""

from typing import cast

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chart import time_range, wait_for_chart, zoom
from tests.browser.conftest import Visitor, visiting

CHART = "document.querySelector('.tau-chart')"


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


def test_the_hover_box_stays_while_points_arrive(visitor: Visitor, stand_in: str) -> None:
    page = watched(visitor, stand_in, "id=forty")
    box = page.locator(".tau-chart .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    expect(page.locator(".tau-chart .hoverlayer .legend")).to_be_visible()
    drawn = page.evaluate("performance.getEntriesByName('tau-draw').length")
    wait_until_drawn(page, f"performance.getEntriesByName('tau-draw').length > {drawn}")
    expect(page.locator(".tau-chart .hoverlayer .legend")).to_be_visible()


WATCH = "document.querySelector('.tau-watch').tauWatch"


def wait_until_drawn(page: Page, condition: str) -> None:
    """Wait for what a further drawing shows, as if the figure had not been drawn for long; a large one waits for that."""
    # Set anew each time it is asked: a drawing that was already under way sets it, too.
    page.wait_for_function(f"({WATCH}.lastDraw = -1e9, {condition})", timeout=60_000)


@pytest.mark.parametrize("experiment", ["forty", "ten-by-four"])
def test_points_of_forty_runs_are_shown_within_a_second_though_the_figure_is_not_drawn_anew(
    visitor: Visitor, stand_in: str, experiment: str
) -> None:
    page = watched(visitor, stand_in, f"id={experiment}")
    page.evaluate(f"{WATCH}.drawMs = 1000")
    page.wait_for_function(f"{WATCH}.drawMs === 1000 && [...{WATCH}.tips.drawnUpTo.values()].every((step) => step >= 1000)")
    drawn = page.evaluate("performance.getEntriesByName('tau-draw').length")
    canvas = f"{WATCH}.tips.canvas"
    painted = f"{canvas}.width > 0 && {canvas}.getContext('2d').getImageData(0, 0, {canvas}.width, {canvas}.height).data.some((v) => v > 0)"
    page.wait_for_function(painted, timeout=3_000)
    page.wait_for_function(f"{WATCH}.tips.present")
    page.evaluate(f"{WATCH}.tips.move({LATER})")
    assert page.locator(".annotation-text", has_text="99 % · soon over").count() == 40, "the rows say how far each run is by now"
    assert page.locator(".annotation-text tspan", has_text="99 %").first.evaluate("node => node.style.fontWeight") == "bold"
    hidden = (
        f"{CHART}._fullData.filter(t => t.meta?.present === 'ring').map(t => document.querySelector('.trace' + t.uid).style.visibility)"
    )
    page.wait_for_function(f"String({hidden}) === 'hidden'")
    assert page.evaluate("performance.getEntriesByName('tau-draw').length") <= drawn + 1


# The description with every run further.
LATER = (
    f"(({{data, layout}}) => ({{data, layout: {{...layout, annotations: layout.annotations.map("
    f"(item) => item.name === 'present' ? {{...item, text: '<b>99 %</b> · soon over'}} : item)}}}}))({WATCH}.description)"
)


def test_forty_runs_grow_with_the_view_kept(visitor: Visitor, stand_in: str) -> None:
    page = watched(visitor, stand_in, "id=forty&n=80")
    seen = last_step(page)
    chosen = zoom(page)
    wait_until_drawn(page, f"{LAST_STEP} > {seen} + 2")
    assert time_range(page) == chosen
    assert page.evaluate(f"{CHART}.data.length") < 150
    visitor.keep("watch-forty")


def test_means_over_seeds_grow_with_the_view_kept_and_each_seed_is_one_click_away(browser: Browser, stand_in: str) -> None:
    lines = f"{CHART}.data.filter(t => t.meta?.group && t.yaxis === 'y2').length"
    with visiting(browser) as visitor:
        page = watched(visitor, stand_in, "id=ten-by-four&n=80")
        assert page.evaluate(lines) == 10
        seen, chosen = last_step(page), zoom(page)
        wait_until_drawn(page, f"{LAST_STEP} > {seen} + 2")
        assert time_range(page) == chosen
        page.get_by_role("button", name="Show each seed").click()
        page.wait_for_function("location.search.includes('seeds=each')", timeout=60_000)
        page.wait_for_function(f"{lines} === 40", timeout=60_000)


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


def test_a_lost_stream_is_said_with_its_time_and_found_again(visitor: Visitor, stand_in: str) -> None:
    page = watched(visitor, stand_in, "id=forty")
    page.route("**/events?**", lambda route: route.abort())
    page.evaluate("document.querySelector('.tau-watch').tauWatch.listen('0')")
    expect(page.get_by_text("Live connection lost at")).to_be_visible(timeout=15_000)
    page.unroute("**/events?**")
    expect(page.get_by_text("Live connection lost at")).to_be_hidden(timeout=30_000)
    visitor.faults = [fault for fault in visitor.faults if "ERR_FAILED" not in fault]


def test_onsets_that_were_not_reached_are_arrows(visitor: Visitor, stand_in: str) -> None:
    page = watched(visitor, stand_in, "id=never")
    onsets = "document.querySelector('.tau-chart').data.filter(t => t.meta?.onset)"
    marks = page.evaluate(f"{onsets}.map(t => [t.meta.status, t.marker.symbol].join(' '))")
    arrows = [mark for mark in marks if mark.startswith("arrow")]
    assert len(arrows) == 2
    assert not [mark for mark in arrows if "diamond" in mark or "circle" in mark]


def test_an_address_restores_the_view_in_a_fresh_browser(browser: Browser, stand_in: str) -> None:
    with visiting(browser, width=1280, height=720, dark=True) as visitor:
        page = visitor.open(f"{stand_in}/experiment?id=demo&axis=tau_n&quality=frechet_pca&losses=100&n=32")
        wait_for_chart(page)
        expect(page.locator(".tau-focused")).to_contain_text("32")
        layout = page.evaluate("document.querySelector('.tau-chart').layout")
        assert layout["xaxis"]["title"]["text"].startswith("τ/n")
        assert any("Fréchet" in item["text"] for item in layout["annotations"])
        assert "yaxis4" in layout
        visitor.keep("watch-dark-address")


def test_pause_and_resume_stand_beside_stop_and_change_places(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=stale")
    wait_for_chart(page)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".tau-pill")).to_contain_text("Paused")
    visitor.keep("watch-paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_the_history_of_a_run_is_one_click_away(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=demo")
    wait_for_chart(page)
    page.get_by_role("link", name="Run history").click()
    expect(page.get_by_text("lost: its worker did not renew the lease")).to_be_visible()
    assert "/run?id=" in page.evaluate("location.href")
    visitor.keep("run-history")


def test_a_click_on_a_row_of_the_rail_focuses_that_n(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=demo")
    wait_for_chart(page)
    page.locator('[data-focus="16"]').click()
    page.wait_for_function("location.search.includes('n=16')")
    expect(page.locator(".tau-focused")).to_contain_text("16")


def test_while_the_dashboard_cannot_reach_the_api_the_page_says_so_and_recovers(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=stale")
    wait_for_chart(page)
    problem = '{"detail": "Nothing answers.", "remedy": "Start it with make up."}'
    page.route("**/view/**", lambda route: route.fulfill(status=502, content_type="application/problem+json", body=problem))
    expect(page.get_by_text("Start it with make up.")).to_be_visible(timeout=15_000)
    page.unroute("**/view/**")
    expect(page.get_by_text("Start it with make up.")).to_be_hidden(timeout=15_000)
    visitor.faults = [fault for fault in visitor.faults if "502" not in fault]


def test_what_arrives_late_for_series_that_are_no_longer_asked_for_is_neither_drawn_nor_kept(visitor: Visitor, stand_in: str) -> None:
    page = visitor.open(f"{stand_in}/experiment?id=live")
    wait_for_chart(page)
    kept = page.evaluate(
        """async () => {
          const watch = document.querySelector(".tau-watch").tauWatch;
          const { curves, reads } = watch;
          const drawing = watch.draw();
          watch.curves = null;
          await drawing;
          const loading = watch.loadCurves();
          watch.reads = "others";
          await loading;
          const late = watch.curves;
          Object.assign(watch, { curves, reads });
          return late;
        }"""
    )
    assert kept is None
