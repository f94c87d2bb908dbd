// A drawing in MNIST's form, by the steps of digitlab/data/photos/mnist_form.py: cropped, a thin pen widened, shrunk to
// a box of 20 × 20, full ink made white, and its centre of mass put in the middle of 28 × 28.

const SIZE = 28;
const BOX = 20;
const LARGE_DISC = 8; // pixels: strokes that are widened by more are widened as ink or paper
const THINNEST = 1.9; // pixels a stroke is wide at least after shrinking; MNIST's pens make 2 to 4

/**
 * Ink (height × width), 0 for paper to 1 for ink, with every stage on the way; null where there is no ink.
 * { box, pen, widened, small, stretched, mass, corner, image }: pictures are { data, height, width }, image is
 * Uint8Array(784), box is { left, top, right, bottom }, mass the centre of mass in `stretched` and corner where its
 * upper left pixel is put in the image, both { x, y }.
 */
export function centredDrawing(ink, height, width) {
  const box = boxOf(ink, height, width);
  if (!box) return null;
  const crop = cropped({ data: ink, height, width }, box);
  const pen = penWidth(crop);
  return { box, pen, ...mnistForm(crop, pen) };
}

/** A picture of one digit in MNIST's form; `pen` is the stroke's width in pixels, or null to leave it. */
function mnistForm(crop, pen = null) {
  const widened = pen === null ? crop : withPen(crop, pen);
  const scale = BOX / Math.max(widened.height, widened.width);
  const [height, width] = [widened.height, widened.width].map((n) => Math.max(1, halfEven(n * scale)));
  const far = halfEven(widened.height * scale) < Math.floor(widened.height / 3);
  const small = resized(widened, height, width, far ? BOX_FILTER : BICUBIC);
  const solid = small.data.filter((v) => v > 0.25);
  const top = Math.max(solid.length ? quantile(solid, 0.9) : 1, 0.25);
  const stretched = { ...small, data: small.data.map((v) => Math.min(Math.max(v / Math.fround(top), 0), 1)) };
  const mass = centreOfMass(stretched);
  const place = (centre, length) => Math.min(Math.max(halfEven(SIZE / 2 - centre), 0), SIZE - length);
  const corner = { x: place(mass.x, width), y: place(mass.y, height) };
  const image = new Uint8Array(SIZE * SIZE);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      image[(corner.y + i) * SIZE + corner.x + j] = halfEven(Math.fround(255 * stretched.data[i * width + j]));
    }
  }
  return { widened, small, stretched, mass, corner, image };
}

/** The box around the pixels that are more ink than paper; null if there are none. */
function boxOf(ink, height, width) {
  const box = { left: width, top: height, right: 0, bottom: 0 };
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      if (ink[i * width + j] <= 0.5) continue;
      box.left = Math.min(box.left, j);
      box.right = Math.max(box.right, j + 1);
      box.top = Math.min(box.top, i);
      box.bottom = i + 1;
    }
  }
  return box.bottom ? box : null;
}

function cropped({ data, width }, { left, top, right, bottom }) {
  const picture = {
    data: new Float32Array((bottom - top) * (right - left)),
    height: bottom - top,
    width: right - left,
  };
  for (let i = top; i < bottom; i++)
    picture.data.set(data.subarray(i * width + left, i * width + right), (i - top) * picture.width);
  return picture;
}

/** The pen's width from the mean distance of ink to paper: across a stroke of even width w the mean is (w + 2)/4. */
function penWidth({ data, height, width }) {
  const squares = squaredDistances(data, height, width);
  let sum = 0;
  let count = 0;
  data.forEach((v, i) => {
    if (v <= 0.5) return;
    sum += Math.sqrt(squares[i]);
    count++;
  });
  return count ? (4 * sum) / count - 2 : 0;
}

/** The squared distance of each pixel of ink to the nearest paper, beyond the border there is paper. */
function squaredDistances(data, height, width) {
  const down = new Float64Array(data.length); // the distance to paper within the column
  for (let j = 0; j < width; j++) {
    for (let i = 0, run = 0; i < height; i++) down[i * width + j] = run = data[i * width + j] > 0.5 ? run + 1 : 0;
    for (let i = height - 1, run = 0; i >= 0; i--) {
      run = data[i * width + j] > 0.5 ? run + 1 : 0;
      down[i * width + j] = Math.min(down[i * width + j], run);
    }
  }
  const squares = new Float64Array(data.length);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      let best = down[i * width + j] ** 2;
      for (let d = 1; d * d < best; d++) {
        for (const k of [j - d, j + d]) {
          const square = k < 0 || k >= width ? 0 : down[i * width + k] ** 2;
          best = Math.min(best, d * d + square);
        }
      }
      squares[i * width + j] = best;
    }
  }
  return squares;
}

/** Strokes widened where they would shrink below 1.9 pixels: a thin pen would leave grey hairs. */
function withPen(crop, pen) {
  const scale = BOX / Math.max(crop.height, crop.width);
  if (pen * scale >= THINNEST) return crop;
  const wider = (THINNEST / scale - pen) / 2; // on both sides
  const radius = Math.max(1, halfEven(wider));
  const binary = radius > LARGE_DISC;
  const height = crop.height + 2 * radius;
  const width = crop.width + 2 * radius;
  const data = new Float32Array(height * width);
  const reach = (wider + 0.5) ** 2;
  const disc = [];
  const most = binary ? Math.ceil(wider + 0.5) : radius;
  for (let y = -most; y <= most; y++) for (let x = -most; x <= most; x++) if (x * x + y * y <= reach) disc.push([y, x]);
  for (let i = 0; i < crop.height; i++) {
    for (let j = 0; j < crop.width; j++) {
      const value = binary ? Number(crop.data[i * crop.width + j] >= 0.5) : crop.data[i * crop.width + j];
      if (value === 0) continue;
      for (const [y, x] of disc) {
        const row = i + radius + y;
        const column = j + radius + x;
        if (row < 0 || column < 0 || row >= height || column >= width) continue;
        const at = row * width + column;
        if (value > data[at]) data[at] = value;
      }
    }
  }
  return { data, height, width };
}

export const BOX_FILTER = { reach: 0.5, value: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };
const BICUBIC = {
  reach: 2,
  value(x) {
    const a = -0.5;
    const d = Math.abs(x);
    if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
  },
};

/** A picture resized as Pillow does it: across, then down; when shrinking, the filter is as much wider. */
export function resized(picture, height, width, filter) {
  const across = resizedAcross(picture, width, filter);
  return transposed(resizedAcross(transposed(across), height, filter));
}

function resizedAcross(picture, width, filter) {
  if (width === picture.width) return picture;
  const scale = picture.width / width;
  const wide = Math.max(scale, 1);
  const reach = filter.reach * wide;
  const data = new Float32Array(picture.height * width);
  for (let j = 0; j < width; j++) {
    const centre = (j + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - reach + 0.5));
    const last = Math.min(picture.width, Math.floor(centre + reach + 0.5));
    const weights = [];
    for (let k = first; k < last; k++) weights.push(filter.value((k - centre + 0.5) / wide));
    const total = weights.reduce((a, b) => a + b, 0);
    for (let i = 0; i < picture.height; i++) {
      let sum = 0;
      weights.forEach((w, k) => (sum += (w / total) * picture.data[i * picture.width + first + k]));
      data[i * width + j] = sum;
    }
  }
  return { data, height: picture.height, width };
}

function transposed({ data, height, width }) {
  const turned = new Float32Array(data.length);
  for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) turned[j * height + i] = data[i * width + j];
  return { data: turned, height: width, width: height };
}

function centreOfMass({ data, height, width }) {
  let [x, y, weight] = [0, 0, 0];
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const value = data[i * width + j];
      weight += value;
      x += value * j;
      y += value * i;
    }
  }
  return { x: x / (weight || 1), y: y / (weight || 1) };
}

/** The q-quantile with linear interpolation, as NumPy's. */
function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
}

/** Rounded to a whole number, halves to the even one, as Python does. */
function halfEven(x) {
  const below = Math.floor(x);
  if (x - below === 0.5) return below % 2 ? below + 1 : below;
  return Math.round(x);
}
