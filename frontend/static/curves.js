// Curves in the browser: columns by run and metric, what the stream adds to them, and the traces they fill.

const COLUMNS = ["step", "value", "low", "high", "count", "reason"];

// Of the ``asked`` metrics alone, or of all: a series that is not held from its beginning is not held.
export function addPoints(curves, { run_id: run, metrics }, asked) {
  const series = (curves.runs[run] ??= {});
  for (const [metric, added] of Object.entries(metrics)) {
    if (asked && !asked.includes(metric)) continue;
    const known = (series[metric] ??= Object.fromEntries(COLUMNS.map((column) => [column, []])));
    merge(known, added);
  }
}

// A run went back to a checkpoint: what it measured beyond comes anew.
export function dropBeyond(curves, { run_id: run, step }) {
  for (const series of Object.values(curves.runs[run] ?? {})) {
    const keep = series.step.filter((at) => at <= step).length;
    for (const column of COLUMNS) series[column].length = keep;
  }
}

// The most points that any series holds.
export function longest(curves) {
  return Math.max(0, ...Object.values(curves.runs).flatMap((run) => Object.values(run).map((series) => series.step.length)));
}

// Add rows to a series in order of step; a step that is there already is replaced, so a repeated event changes nothing.
function merge(known, added) {
  added.step.forEach((step, row) => {
    let at = known.step.length;
    while (at > 0 && known.step[at - 1] >= step) at -= 1;
    const replace = known.step[at] === step ? 1 : 0;
    for (const column of COLUMNS) known[column].splice(at, replace, added[column]?.[row] ?? null);
  });
}

// The curves of the runs with the means over seeds that a description brings, which are as old as it is.
export function withMeans(curves, description) {
  return { ...curves, runs: { ...curves.runs, ...description.means } };
}

// The browser's half of frontend/charts/filling.py.
export function fill(trace, curves) {
  const bound = trace.meta?.bind;
  if (!bound) return trace;
  if (bound.runs) return many(trace, curves);
  const found = curves.runs[bound.run] ?? {};
  const series = found[bound.against ?? bound.metric];
  if (!series) return { ...trace, x: [], y: [] };
  if (bound.against) return path(trace, series, found[bound.metric]);
  const rows = rowsOf(series, bound);
  return {
    ...trace,
    x: rows.map((row) => series.step[row] / bound.divisor),
    y: rows.map((row) => series[bound.column][row]),
    // Only a hover line reads it, and Plotly looks through all of it at every update.
    ...(trace.hovertemplate ? { customdata: custom(series, rows) } : {}),
  };
}

function many(trace, curves) {
  const { runs, metric } = trace.meta.bind;
  const parts = runs.map(([run, divisor]) => [curves.runs[run]?.[metric], divisor]).filter(([series]) => series);
  const listed = parts.map(([series, divisor]) => [series, divisor, rowsOf(series, trace.meta.bind)]);
  return {
    ...trace,
    x: listed.flatMap(([series, divisor, rows]) => [...rows.map((row) => series.step[row] / divisor), null]),
    y: listed.flatMap(([series, , rows]) => [...rows.map((row) => series.value[row]), null]),
  };
}

function rowsOf(series, bound) {
  const rows = series.step.map((_, row) => row);
  if (bound.last) return rows.filter((row) => series.value[row] !== null).slice(-1);
  const [low, high] = bound.window ?? [0, Infinity];
  return bound.window ? rows.filter((row) => low <= series.step[row] && series.step[row] <= high) : rows;
}

const custom = (series, rows) => rows.map((row) => [series.low[row], series.high[row], series.count[row], series.step[row]]);

function path(trace, series, other) {
  const rows = rowsOf(series, trace.meta.bind);
  const filled = {
    ...trace,
    x: rows.map((row) => series.value[row]),
    y: rows.map((row) => valueAt(other, series.step[row])),
    customdata: custom(series, rows),
  };
  if (trace.marker?.colorscale) filled.marker = { ...trace.marker, color: rows.map((row) => Math.log10(Math.max(series.step[row], 1))) };
  return filled;
}

// Linear in log time between the points around a step; null outside them or beside a gap.
function valueAt(series, step) {
  const after = series?.step.findIndex((known) => known >= step) ?? -1;
  if (after < 0) return null;
  if (series.step[after] === step) return series.value[after];
  if (after === 0) return null;
  const [left, right] = [series.step[after - 1], series.step[after]];
  const [a, b] = [series.value[after - 1], series.value[after]];
  if (a === null || b === null) return null;
  return a + ((b - a) * Math.log(step / Math.max(left, 0.5))) / Math.log(right / Math.max(left, 0.5));
}
