"""A figure as a file, with what made it inside."""

import io
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

Form = Literal["svg", "pdf", "png"]
DOTS_PER_INCH = 600


def save(figure: Figure, form: Form, *, title: str, facts: Mapping[str, str], date: datetime) -> bytes:
    """The bytes of a file; the same figure, facts and date give the same ones.

    Args:
        facts: what made it, name to value: in the Description of an SVG, the Subject and Keywords of a PDF, the text chunks of a PNG.
    """
    said = "; ".join(f"{name}: {value}" for name, value in facts.items())
    buffer = io.BytesIO()
    if form == "svg":
        keywords = [f"{name}: {value}" for name, value in facts.items()]
        metadata = {"Title": title, "Date": date.isoformat(), "Creator": "Tauscope", "Description": said, "Keywords": keywords}
        FigureCanvasSVG(figure).print_svg(buffer, metadata=metadata)
    elif form == "pdf":
        about = {"Title": title, "Subject": said, "Keywords": said, "Creator": "Tauscope", "CreationDate": date}
        FigureCanvasPdf(figure).print_pdf(buffer, metadata=about)
    else:
        figure.set_dpi(DOTS_PER_INCH)
        chunks = {"Title": title, "Creation Time": date.isoformat(), "Software": "Tauscope", **facts}
        FigureCanvasAgg(figure).print_png(buffer, metadata=chunks)
    return buffer.getvalue()
