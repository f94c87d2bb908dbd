// A digit of each class to begin with, drawn as pen strokes: the first forms of digitlab/data/synthetic/strokes.json.
import { centredDrawing } from "./engine/digits.js";

/** For each digit its strokes, each a list of points [x, y] in a box of 1 by 1.4. */
export const FORMS = [
  [
    [
      [0.55, 0.02],
      [0.15, 0.25],
      [0.02, 0.75],
      [0.25, 1.3],
      [0.6, 1.35],
      [0.95, 0.95],
      [0.9, 0.35],
      [0.5, 0.02],
    ],
  ],
  [
    [
      [0.55, 0.0],
      [0.5, 0.7],
      [0.48, 1.4],
    ],
  ],
  [
    [
      [0.08, 0.4],
      [0.25, 0.05],
      [0.65, 0.02],
      [0.85, 0.35],
      [0.55, 0.85],
      [0.08, 1.36],
    ],
    [
      [0.08, 1.36],
      [0.5, 1.33],
      [0.95, 1.36],
    ],
  ],
  [
    [
      [0.12, 0.2],
      [0.45, 0.0],
      [0.82, 0.22],
      [0.7, 0.52],
      [0.4, 0.63],
    ],
    [
      [0.4, 0.63],
      [0.75, 0.72],
      [0.9, 1.05],
      [0.6, 1.36],
      [0.25, 1.33],
      [0.06, 1.12],
    ],
  ],
  [
    [
      [0.35, 0.02],
      [0.22, 0.4],
      [0.05, 0.85],
    ],
    [
      [0.05, 0.85],
      [0.5, 0.83],
      [0.95, 0.8],
    ],
    [
      [0.68, 0.35],
      [0.66, 0.9],
      [0.62, 1.4],
    ],
  ],
  [
    [
      [0.85, 0.03],
      [0.5, 0.03],
      [0.2, 0.06],
    ],
    [
      [0.2, 0.06],
      [0.18, 0.3],
      [0.15, 0.58],
    ],
    [
      [0.15, 0.58],
      [0.5, 0.48],
      [0.85, 0.72],
      [0.85, 1.1],
      [0.55, 1.37],
      [0.1, 1.25],
    ],
  ],
  [
    [
      [0.75, 0.02],
      [0.4, 0.25],
      [0.12, 0.75],
      [0.15, 1.2],
      [0.5, 1.39],
      [0.85, 1.15],
      [0.75, 0.8],
      [0.42, 0.75],
      [0.15, 1.0],
    ],
  ],
  [
    [
      [0.05, 0.08],
      [0.5, 0.06],
      [0.92, 0.05],
    ],
    [
      [0.92, 0.05],
      [0.65, 0.6],
      [0.38, 1.4],
    ],
  ],
  [
    [
      [0.8, 0.2],
      [0.45, 0.0],
      [0.15, 0.25],
      [0.35, 0.58],
      [0.7, 0.8],
      [0.88, 1.1],
      [0.5, 1.39],
      [0.12, 1.12],
      [0.32, 0.78],
      [0.65, 0.55],
      [0.85, 0.28],
      [0.8, 0.16],
    ],
  ],
  [
    [
      [0.85, 0.35],
      [0.6, 0.02],
      [0.2, 0.15],
      [0.12, 0.5],
      [0.4, 0.72],
      [0.75, 0.6],
      [0.86, 0.35],
    ],
    [
      [0.86, 0.3],
      [0.84, 0.8],
      [0.75, 1.4],
    ],
  ],
];

/** The strokes of a digit as smooth lines on a square canvas, as `drawing` takes them. */
export function exampleStrokes(digit, size = 280) {
  const scale = size / 2;
  const point = ([x, y]) => [(x - 0.5) * scale + size / 2, (y - 0.7) * scale + size / 2];
  return FORMS[digit].map((stroke) => ({ width: size / 13, erasing: false, points: smooth(stroke).map(point) }));
}

/** A curve through the points: Catmull and Rom's spline. */
function smooth(points, pieces = 10) {
  const padded = [points[0], ...points, points.at(-1)];
  const curve = [];
  for (let i = 0; i + 3 < padded.length; i++) {
    const [a, b, c, d] = padded.slice(i, i + 4);
    for (let k = 0; k < pieces; k++) {
      const t = k / pieces;
      const at = (n) =>
        0.5 *
        (2 * b[n] +
          (c[n] - a[n]) * t +
          (2 * a[n] - 5 * b[n] + 4 * c[n] - d[n]) * t ** 2 +
          (3 * b[n] - a[n] - 3 * c[n] + d[n]) * t ** 3);
      curve.push([at(0), at(1)]);
    }
  }
  return [...curve, points.at(-1)];
}

/** An example as an image of 28 × 28 (0 … 1), as the network gets it. */
export function exampleImage(digit, size = 140) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.lineCap = context.lineJoin = "round";
  for (const { width, points } of exampleStrokes(digit, size)) {
    context.lineWidth = width;
    context.beginPath();
    points.forEach((point) => context.lineTo(...point));
    context.stroke();
  }
  const bytes = context.getImageData(0, 0, size, size).data;
  const ink = Float32Array.from({ length: size * size }, (_, i) => bytes[4 * i + 3] / 255);
  return Float32Array.from(centredDrawing(ink, size, size).image, (byte) => byte / 255);
}
