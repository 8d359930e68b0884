// Tiles out of the sheets that the API draws: many images, few requests, no pixel smoothed.

const COLUMNS = 16;
const MAX_PIXELS = 2 ** 16;
const KEPT = 90;

const sheets = new Map();

// How many images one sheet holds: fewer of large ones.
export function perSheet([, height, width]) {
  return Math.max(16, Math.min(256, Math.floor(MAX_PIXELS / (width * height) / COLUMNS) * COLUMNS));
}

// 0,1,2,5 as 0-2,5.
export function ranges(numbers) {
  const parts = [];
  for (const value of numbers) {
    const last = parts.at(-1);
    if (last && last[1] + 1 === value) last[1] = value;
    else parts.push([value, value]);
  }
  return parts.map(([first, end]) => (first === end ? `${first}` : `${first}-${end}`)).join(",");
}

export function sheetUrl(run, step, version, of, numbers) {
  return `/api/v1/runs/${run}/samples/${step}/sheet.png?of=${of}&images=${ranges(numbers)}&v=${version}`;
}

// An image, loaded once; the least recently used are forgotten first, and one that failed is tried again.
export function loadImage(url) {
  const known = sheets.get(url);
  sheets.delete(url);
  const loading = known ?? decode(url);
  sheets.set(url, loading);
  if (sheets.size > KEPT) sheets.delete(sheets.keys().next().value);
  return loading;
}

function decode(url) {
  const image = new Image();
  image.src = url;
  const loading = image.decode().then(() => image);
  loading.catch(() => sheets.delete(url));
  return loading;
}

// Draw the tile in a place of a sheet with so many columns, unless the canvas has been given to another one meanwhile.
export async function paint(canvas, url, place, [, height, width], columns = COLUMNS) {
  const key = `${url}#${place}`;
  if (canvas.tauKey === key) return;
  canvas.tauKey = key;
  let image;
  try {
    image = await loadImage(url);
  } catch {
    if (canvas.tauKey === key) canvas.tauKey = null;
    return;
  }
  if (canvas.tauKey !== key) return;
  canvas.width = width;
  canvas.height = height;
  const left = (place % columns) * width;
  canvas.getContext("2d").drawImage(image, left, Math.floor(place / columns) * height, width, height, 0, 0, width, height);
  canvas.dataset.painted = "yes";
}

// The samples of a checkpoint in an order, cut into sheets.
export class Tiles {
  constructor(samples, order) {
    this.samples = samples;
    this.order = order;
    this.size = perSheet(samples.image_shape);
  }

  url(of, position) {
    const first = Math.floor(position / this.size) * this.size;
    const { run_id: run, step, version } = this.samples;
    return sheetUrl(run, step, version, of, this.order.slice(first, first + this.size));
  }

  paint(canvas, of, position) {
    return paint(canvas, this.url(of, position), position % this.size, this.samples.image_shape);
  }

  // Load what these positions need before it is shown.
  preload(first, last) {
    const urls = new Set();
    const end = Math.min(last, this.order.length - 1);
    for (let position = first; position <= end; position += 1) for (const of of ["generated", "nearest", "second"]) urls.add(this.url(of, position));
    return Promise.allSettled([...urls].map(loadImage));
  }
}
