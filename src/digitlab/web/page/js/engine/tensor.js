// Arrays with a shape, their numbers row by row, as NumPy has them.
//
// Sums are accumulated in double precision and rounded once; NumPy's float32 rounds after every addition.
// Outputs of the two agree to about 1e-6.

export class Tensor {
  /** data: Float32Array or Float64Array; shape: the length of each axis, the batch first. */
  constructor(data, shape) {
    if (data.length !== product(shape)) {
      throw new ShapeError(`got ${data.length} numbers for shape (${shape.join(", ")}), expected ${product(shape)}`);
    }
    this.data = data;
    this.shape = shape;
  }

  /** Zeros of another shape in the same precision. */
  zeros(...shape) {
    return new Tensor(new this.data.constructor(product(shape)), shape);
  }

  /** The same numbers in another shape, not copied. */
  reshape(...shape) {
    return new Tensor(this.data, shape);
  }

  copy() {
    return new Tensor(this.data.slice(), this.shape);
  }

  /** One example of the batch, (1, …), not copied. */
  row(n) {
    const size = this.data.length / this.shape[0];
    return new Tensor(this.data.subarray(n * size, (n + 1) * size), [1, ...this.shape.slice(1)]);
  }
}

export class ShapeError extends Error {}

export function product(shape) {
  return shape.reduce((total, n) => total * n, 1);
}

/** The last axis as columns and all others as rows: (…, F) → [rows, F]. */
export function rowsAndColumns(x) {
  const columns = x.shape.at(-1);
  return [x.data.length / columns, columns];
}

/** f of the numbers at equal places of tensors of one shape. */
export function elementwise(f, a, b, c, d) {
  const y = a.zeros(...a.shape);
  const out = y.data;
  const n = out.length;
  if (b === undefined) for (let i = 0; i < n; i++) out[i] = f(a.data[i]);
  else if (c === undefined) for (let i = 0; i < n; i++) out[i] = f(a.data[i], b.data[i]);
  else if (d === undefined) for (let i = 0; i < n; i++) out[i] = f(a.data[i], b.data[i], c.data[i]);
  else for (let i = 0; i < n; i++) out[i] = f(a.data[i], b.data[i], c.data[i], d.data[i]);
  return y;
}

export const add = (a, b) => elementwise((u, v) => u + v, a, b);

/** x W: (N, in) (in, out) → (N, out). */
export function matmul(x, W) {
  const [n, inner] = x.shape;
  const out = W.shape[1];
  if (W.shape[0] !== inner) {
    throw new ShapeError(`got ${inner} numbers for weights of shape (${W.shape.join(", ")}), expected ${W.shape[0]}`);
  }
  const y = x.zeros(n, out);
  const sums = new Float64Array(out);
  for (let i = 0; i < n; i++) {
    sums.fill(0);
    for (let k = 0; k < inner; k++) {
      const value = x.data[i * inner + k];
      if (value === 0) continue; // most pixels are paper
      const row = k * out;
      for (let j = 0; j < out; j++) sums[j] += value * W.data[row + j];
    }
    y.data.set(sums, i * out);
  }
  return y;
}

/** g Wᵀ: (N, out) (in, out) → (N, in). */
export function matmulTransposed(g, W) {
  const [n, out] = g.shape;
  const inner = W.shape[0];
  const y = g.zeros(n, inner);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < inner; k++) {
      let sum = 0;
      for (let j = 0; j < out; j++) sum += g.data[i * out + j] * W.data[k * out + j];
      y.data[i * inner + k] = sum;
    }
  }
  return y;
}

/** xᵀ g: (N, in) (N, out) → (in, out). */
export function transposedMatmul(x, g) {
  const [n, inner] = x.shape;
  const out = g.shape[1];
  const sums = new Float64Array(inner * out);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < inner; k++) {
      const value = x.data[i * inner + k];
      if (value === 0) continue;
      for (let j = 0; j < out; j++) sums[k * out + j] += value * g.data[i * out + j];
    }
  }
  const y = x.zeros(inner, out);
  y.data.set(sums);
  return y;
}

/** Σ over all axes but the last: (…, F) → (F). */
export function sumRows(g) {
  const [rows, columns] = rowsAndColumns(g);
  const sums = new Float64Array(columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) sums[j] += g.data[i * columns + j];
  const y = g.zeros(columns);
  y.data.set(sums);
  return y;
}

/** The columns from start to before stop of the last axis, copied. */
export function columnsOf(x, start, stop) {
  const [rows, columns] = rowsAndColumns(x);
  const y = x.zeros(...x.shape.slice(0, -1), stop - start);
  for (let i = 0; i < rows; i++) {
    y.data.set(x.data.subarray(i * columns + start, i * columns + stop), i * (stop - start));
  }
  return y;
}

/** Tensors side by side along the last axis. */
export function concat(parts) {
  const total = parts.reduce((sum, part) => sum + part.shape.at(-1), 0);
  const y = parts[0].zeros(...parts[0].shape.slice(0, -1), total);
  const rows = y.data.length / total;
  let start = 0;
  for (const part of parts) {
    const columns = part.shape.at(-1);
    for (let i = 0; i < rows; i++) {
      y.data.set(part.data.subarray(i * columns, (i + 1) * columns), i * total + start);
    }
    start += columns;
  }
  return y;
}

/** Chosen columns of the last axis, in the order of `numbers`. */
export function take(x, numbers) {
  const [rows, columns] = rowsAndColumns(x);
  const y = x.zeros(...x.shape.slice(0, -1), numbers.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < numbers.length; j++) y.data[i * numbers.length + j] = x.data[i * columns + numbers[j]];
  }
  return y;
}

/** The place of the largest number; the first one if several are. */
export function argmax(numbers) {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i] > numbers[best]) best = i;
  return best;
}
