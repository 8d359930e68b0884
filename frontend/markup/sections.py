"""A titled surface with a table in it, as the pages of a run and of the service show them."""

from collections.abc import Sequence

from frontend.markup.html import Html, tag


def section(title: str, body: Html) -> Html:
    """A surface under its title."""
    return tag("section", tag("h2", title, class_="tau-label"), body, class_="tau-card tau-flush tau-section")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> Html:
    """Rows under their headings, which scrolls sideways by itself; the words where there is none."""
    if not rows:
        return tag("p", empty)
    head = tag("tr", *[tag("th", column, scope="col") for column in columns])
    body = [tag("tr", *[tag("td", cell) for cell in row]) for row in rows]
    return tag("div", tag("table", tag("thead", head), tag("tbody", *body), class_="tau-onsets"), class_="tau-scrolls", tabindex=0)
