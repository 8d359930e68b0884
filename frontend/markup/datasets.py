"""Data sets as cards, and the form that registers another one."""

from collections.abc import Sequence
from urllib.parse import quote

from frontend.markup.header import address
from frontend.markup.html import Html, join, tag
from frontend.markup.icons import FINE, WARNING
from frontend.markup.sections import section, table
from frontend.words import plural
from tauscope.contracts.datasets import DatasetView


def dataset_cards(views: Sequence[DatasetView]) -> Html:
    """A card each of those that are named, the formats of one's own images in a table below."""
    named = [view for view in views if not is_format(view)]
    formats = [(view.name, view.description, "; ".join(view.layouts)) for view in views if is_format(view)]
    columns = ("dataset.name", "What it reads", "dataset.path may be")
    return join(
        tag("div", *[_card(view) for view in named], class_="tau-datasets"),
        section("Without a name of its own, by dataset.path", table(columns, formats, "None.")),
    )


def is_format(view: DatasetView) -> bool:
    """Whether it is a way to read images, and no set of its own."""
    return not view.registered and view.n_images is None


def _card(view: DatasetView) -> Html:
    picture = f"/api/v1/datasets/{quote(view.name, safe='')}/sheet.png"
    sheet = tag("img", src=picture, alt=f"The first images of {view.name}", loading="lazy", class_="tau-sheet") if view.available else None
    state = tag("span", FINE, "here") if view.available else tag("span", WARNING, "not here", class_="tau-silent")
    return tag(
        "article",
        tag("div", tag("h2", view.name), state, class_="tau-preset-head"),
        sheet or tag("p", view.remedy, class_="tau-need"),
        tag("p", view.description),
        tag("p", tag("b", _counted(view))),
        *[tag("p", WARNING, tag("span", words), class_="tau-need") for words in duplicates_words(view)],
        _facts(view),
        tag("div", *_actions(view), class_="tau-copies"),
        class_="tau-card tau-dataset",
        data_name=view.name,
    )


def _counted(view: DatasetView) -> str:
    classes = f" · {view.n_classes:,} classes" if view.n_classes else ""
    return f"{view.n_images or 0:,} images · {view.size}{classes}"


def duplicates_words(view: DatasetView) -> list[str]:
    """What was found when a registered set was read, each in a sentence; nothing where all is well."""
    found = {
        f"{view.n_unreadable or 0:,} of {view.n_images or 0:,} images cannot be read": view.n_unreadable,
        f"{view.n_equal or 0:,} images equal another in every byte": view.n_equal,
        f"{view.n_near or 0:,} images have a near duplicate": view.n_near,
    }
    told = [words for words, count in found.items() if count]
    unread = view.registered and view.n_unreadable is None
    told += ["The files have changed since it was registered: register it anew"] * view.changed
    return told + ["Too many to read at once: the first run looks for damaged and double ones"] * unread


def _facts(view: DatasetView) -> Html:
    clean = "none found" if view.n_equal == view.n_near == 0 else None
    facts = {"Licence": view.licence, "From": view.source, "Asked of you": view.attribution, "Duplicates": clean}
    return tag("dl", *[join(tag("dt", name), tag("dd", words)) for name, words in facts.items() if words])


def _actions(view: DatasetView) -> list[Html]:
    found = []
    if view.available:
        launch = address("launch", data=view.name)
        found.append(tag("a", "Launch on it", class_="tau-link", href=launch, data_go=launch))
    if view.n_experiments:
        used = address("experiments", data=view.name)
        found.append(tag("a", f"used by {plural(view.n_experiments, 'experiment')}", class_="tau-link", href=used, data_go=used))
    if view.registered:
        found.append(tag("button", "Remove", type="button", class_="tau-link", data_remove=view.name))
    return found


def register_form() -> Html:
    """Fields of a new data set; a fault of the service is shown at its field."""
    kinds = tag(
        "fieldset",
        tag("legend", "Images"),
        tag("label", tag("input", type="radio", name_="from", value="file", checked=True), " a zip archive, uploaded"),
        tag("label", tag("input", type="radio", name_="from", value="path"), " a path on the service's machine"),
    )
    return tag(
        "form",
        tag("h2", "Register a data set", class_="tau-label"),
        _field("name", "Name", "faces", hint="small letters, digits, _ . -", required=True),
        kinds,
        tag("div", _input("file", "Archive", type="file", accept=".zip,application/zip"), _fault("path"), data_when="file"),
        tag("div", _input("path", "Path", placeholder="/data/faces"), _fault("path"), data_when="path", hidden=True),
        _field("description", "Description", ""),
        _field("licence", "Licence", "CC BY 4.0"),
        _field("attribution", "Asked of whoever shows them", ""),
        tag("button", "Register", type="submit", class_="tau-button tau-primary"),
        tag("p", role="status", aria_live="polite", class_="tau-quiet"),
        class_="tau-card tau-register",
        novalidate=True,
    )


def _field(name: str, label: str, placeholder: str, *, hint: str = "", required: bool = False) -> Html:
    note = tag("span", hint, class_="tau-quiet") if hint else None
    return tag("div", _input(name, label, placeholder=placeholder or None, required=required), note, _fault(name))


def _input(name: str, label: str, **attributes: object) -> Html:
    given = {"type": "text", "autocomplete": "off"} | attributes
    return join(tag("label", label, for_=f"register-{name}"), tag("input", id=f"register-{name}", name_=name, **given))


def _fault(name: str) -> Html:
    return tag("p", class_="tau-fault", role="alert", data_fault=name, hidden=True)
