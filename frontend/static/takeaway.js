// Figures to take away: drawn anew off screen, as SVG or PNG, with the page's fonts inside.

import { ensurePlotly } from "./shell.js";

const SCREEN_SCALE = 2;
const PRINT_SCALE = 6.25; // 96 pixels an inch become 600.
const FONTS = { 400: "Regular", 600: "SemiBold" };

// Draw a filled figure and hand it to the viewer as a file.
export async function takeFigure({ data, layout }, { form, file, print, width }) {
  const svg = await withFonts(await drawn(data, { ...layout, width: layout.width ?? width }));
  const blob = form === "svg" ? new Blob([svg], { type: "image/svg+xml" }) : await raster(svg, print ? PRINT_SCALE : SCREEN_SCALE);
  save(blob, file);
}

async function drawn(data, layout) {
  const Plotly = await ensurePlotly();
  const place = document.createElement("div");
  place.style.cssText = `position:fixed;left:-99999px;top:0;width:${layout.width}px;height:${layout.height}px`;
  document.body.append(place);
  try {
    await Plotly.newPlot(place, data, layout, { staticPlot: true });
    const url = await Plotly.toImage(place, { format: "svg", width: layout.width, height: layout.height });
    return decodeURIComponent(url.slice(url.indexOf(",") + 1));
  } finally {
    Plotly.purge(place);
    place.remove();
  }
}

// A picture cannot ask for a font, so it carries them.
async function withFonts(svg) {
  const faces = Object.entries(FONTS).map(async ([weight, name]) => {
    const bytes = new Uint8Array(await (await fetch(`/assets/fonts/plex-sans-${name}.woff2`)).arrayBuffer());
    const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    return `@font-face{font-family:"IBM Plex Sans";font-weight:${weight};src:url(data:font/woff2;base64,${text}) format("woff2")}`;
  });
  const style = `<style>${(await Promise.all(faces)).join("")}</style>`;
  return svg.replace(/<svg[^>]*>/, (opening) => opening + style);
}

async function raster(svg, scale) {
  const image = new Image();
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    await new Promise((resolve, reject) => Object.assign(image, { onload: resolve, onerror: () => reject(new Error("the figure did not draw")), src: url }));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(image.naturalWidth * scale);
    canvas.height = Math.round(image.naturalHeight * scale);
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  } finally {
    URL.revokeObjectURL(url);
  }
}

function save(blob, file) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
