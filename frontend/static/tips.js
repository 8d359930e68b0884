// The newest points of curves, drawn over a figure that is too large to be drawn anew for each of them.
//
// Plotly draws a whole figure for any change. Of forty runs that takes long enough to be felt, so it is done seldom; until then
// the pieces of line that were added since stand on a canvas over it, placed by the figure's own axes, and the runs' own rows
// are moved on.

export class Tips {
  constructor(chart) {
    this.chart = chart;
    this.canvas = Object.assign(document.createElement("canvas"), { className: "tau-tips", ariaHidden: "true" });
    chart.after(this.canvas);
    this.drawnUpTo = new Map();
    this.present = null;
  }

  // The figure was drawn with all that the curves hold now.
  reset(curves) {
    this.drawnUpTo.clear();
    for (const [run, series] of Object.entries(curves.runs)) {
      for (const [metric, { step }] of Object.entries(series)) this.drawnUpTo.set(`${run}/${metric}`, step.at(-1) ?? 0);
    }
    this.present = null;
    this.clear();
    this.show((trace) => trace.meta?.bind?.last || trace.meta?.present === "ring", true);
  }

  // A description that is not drawn: how far each run is by now, in its row and in words.
  move(figure) {
    this.present = figure.data.filter((trace) => trace.meta?.present);
    const texts = figure.layout.annotations.filter((item) => item.name === "present").map((item) => item.text);
    this.chart.layout.annotations.forEach((item, index) => {
      if (item.name !== "present") return;
      const text = texts.shift();
      if (text === undefined || text === item.text) return;
      item.text = this.chart._fullLayout.annotations[index].text = text;
      write(this.chart.querySelector(`.annotation[data-index="${index}"] .annotation-text`), text);
    });
  }

  // Zoom and pan move the figure under the canvas; the pieces are placed again when it rests.
  follow(curvesNow) {
    this.chart.on("plotly_relayouting", () => this.clear());
    this.chart.on("plotly_afterplot", () => this.draw(curvesNow() || null));
  }

  clear() {
    this.canvas.width = 0;
  }

  draw(curves) {
    const { chart, canvas } = this;
    const { _fullLayout: layout } = chart;
    if (!layout || !curves) return;
    const scale = window.devicePixelRatio;
    canvas.width = layout.width * scale;
    canvas.height = layout.height * scale;
    Object.assign(canvas.style, { left: `${chart.offsetLeft + chart.clientLeft}px`, top: `${chart.offsetTop + chart.clientTop}px`, width: `${layout.width}px`, height: `${layout.height}px` });
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    let added = false;
    for (const trace of chart._fullData) added = this.extend(context, trace, curves, layout) || added;
    // A ring stands on the newest point; one that lags behind would tell a falsehood.
    this.show((trace) => trace.meta?.bind?.last, !added);
    if (this.present) this.rows(context, layout);
  }

  // Each row's line from where it ended to the present step, and the ring there.
  rows(context, layout) {
    const drawn = new Map(this.chart.data.filter((trace) => trace.meta?.present === "line").flatMap((trace) => ends(trace)));
    for (const trace of this.present) {
      const [x, y] = [layout.xaxis, layout[`yaxis${trace.yaxis.slice(1)}`]];
      const at = (step, row) => [x._offset + x.d2p(step), y._offset + y.d2p(row)];
      if (trace.meta.present === "line") {
        context.beginPath();
        for (const [row, step] of ends(trace)) {
          context.moveTo(...at(drawn.get(row) ?? trace.x[0], row));
          context.lineTo(...at(step, row));
        }
        Object.assign(context, { strokeStyle: trace.line.color, lineWidth: trace.line.width });
        context.stroke();
      } else {
        const { size, color, line } = trace.marker;
        trace.x.forEach((step, place) => {
          context.beginPath();
          context.arc(...at(step, trace.y[place]), size / 2, 0, 2 * Math.PI);
          Object.assign(context, { fillStyle: color, strokeStyle: line.color[place], lineWidth: line.width });
          context.fill();
          context.stroke();
        });
      }
    }
    this.show((trace) => trace.meta?.present === "ring", false);
  }

  extend(context, trace, curves, layout) {
    const bound = trace.meta?.bind;
    if (!bound || bound.last || bound.against || bound.window || (bound.column ?? "value") !== "value" || !trace.line?.width) return false;
    const [x, y] = [layout.xaxis, layout[`yaxis${trace.yaxis.slice(1)}`]];
    const runs = bound.runs ?? [[bound.run, bound.divisor]];
    context.save();
    context.beginPath();
    context.rect(x._offset, y._offset, x._length, y._length);
    context.clip();
    context.beginPath();
    let added = false;
    for (const [run, divisor] of runs) added = this.trail(context, curves.runs[run]?.[bound.metric], `${run}/${bound.metric}`, { x, y, divisor }) || added;
    Object.assign(context, { strokeStyle: trace.line.color, lineWidth: trace.line.width, lineJoin: "round" });
    context.setLineDash(trace.line.dash === "dot" ? [1.5, 3] : trace.line.dash === "dash" ? [6, 4] : []);
    context.stroke();
    context.restore();
    return added;
  }

  // The way from the last point that the figure holds through those that came after; a missing value breaks it.
  trail(context, series, name, { x, y, divisor }) {
    if (!series) return false;
    const from = this.drawnUpTo.get(name) ?? -1;
    let row = series.step.length - 1;
    if (!(series.step[row] > from)) return false;
    while (row > 0 && series.step[row - 1] >= from) row -= 1;
    let joined = false;
    for (; row < series.step.length; row += 1) {
      const value = series.value[row];
      const place = [x._offset + x.d2p(series.step[row] / divisor), y._offset + y.d2p(value)];
      if (value !== null) context[joined ? "lineTo" : "moveTo"](...place);
      joined = value !== null;
    }
    return true;
  }

  show(which, shown) {
    for (const trace of this.chart._fullData ?? []) {
      const node = which(trace) && this.chart.querySelector(`.scatterlayer .trace${trace.uid}`);
      if (node) node.style.visibility = shown ? "" : "hidden";
    }
  }
}

// Row and end of each of a trace's lines, which are start, end and a gap.
const ends = (trace) => trace.y.flatMap((row, place) => (place % 3 === 1 ? [[row, trace.x[place]]] : []));

// What Plotly makes of a text whose beginning may be bold.
function write(node, text) {
  const [, bold, rest] = /^(?:<b>(.*?)<\/b>)?(.*)$/.exec(text);
  const strong = document.createElementNS("http://www.w3.org/2000/svg", "tspan");
  strong.style.fontWeight = "bold";
  strong.textContent = bold ?? "";
  node?.replaceChildren(strong, rest);
}
