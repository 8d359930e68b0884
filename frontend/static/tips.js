// The newest points of curves, drawn over a figure that is too large to be drawn anew for each of them.
//
// Plotly draws a whole figure for any change. Of forty runs that takes long enough to be felt, so it is done seldom; until then
// the pieces of line that were added since stand on a canvas over it, placed by the figure's own axes.

export class Tips {
  constructor(chart) {
    this.chart = chart;
    this.canvas = Object.assign(document.createElement("canvas"), { className: "tau-tips", ariaHidden: "true" });
    chart.after(this.canvas);
    this.drawnUpTo = new Map();
  }

  // The figure was drawn with all that the curves hold now.
  reset(curves) {
    this.drawnUpTo.clear();
    for (const [run, series] of Object.entries(curves.runs)) {
      for (const [metric, { step }] of Object.entries(series)) this.drawnUpTo.set(`${run}/${metric}`, step.at(-1) ?? 0);
    }
    this.clear();
    this.rings(true);
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
    this.rings(!added);
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

  rings(shown) {
    for (const trace of this.chart._fullData ?? []) {
      const node = trace.meta?.bind?.last && this.chart.querySelector(`.scatterlayer .trace${trace.uid}`);
      if (node) node.style.visibility = shown ? "" : "hidden";
    }
  }
}
