// The pointer over the chart: what a click means, and a hover box that stays while the figure is drawn anew.

// With one hover line through all panels Plotly's own click names every panel's points; the panel under the pointer decides.
export function listenToClicks(chart, { focusRow, inspect }) {
  const height = (event) => event.clientY - chart.getBoundingClientRect().top;
  const within = (axis, y) => axis && y >= axis._offset && y <= axis._offset + axis._length;
  chart.on("plotly_click", ({ event, points }) => {
    const { yaxis2 } = chart._fullLayout;
    const copied = points.find((item) => item.data.meta?.bind?.against) ?? (within(yaxis2, height(event)) && points.find(isCopied));
    if (copied) inspect({ run: copied.data.meta.inspect ?? copied.data.meta.bind.run, step: copied.customdata[3] });
  });
  chart.addEventListener("click", (event) => {
    const rail = chart._fullLayout?.yaxis3;
    const y = height(event);
    if (within(rail, y)) focusRow(Math.round(-rail.p2d(y - rail._offset)));
  });
}

const isCopied = (item) => item.data.yaxis === "y2" && item.data.meta?.bind?.metric === "f_mem";

// Plotly drops its hover box when it draws; the pointer has not moved, so it is told again where it is.
export function keepHover(chart) {
  let at = null;
  chart.addEventListener("mousemove", (event) => event.isTrusted && (at = { clientX: event.clientX, clientY: event.clientY }));
  chart.addEventListener("mouseleave", () => (at = null));
  return {
    restore() {
      if (!at || chart._dragging) return;
      const target = document.elementFromPoint(at.clientX, at.clientY);
      if (chart.contains(target)) target.dispatchEvent(new MouseEvent("mousemove", { ...at, bubbles: true, view: window }));
    },
  };
}
