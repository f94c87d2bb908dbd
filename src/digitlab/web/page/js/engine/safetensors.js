// Reading networks: a safetensors file is 8 bytes (the header's length), a header of JSON, and the numbers.
// Nothing in it is executed. https://github.com/huggingface/safetensors

import { Tensor, product } from "./tensor.js";

export class ModelFileError extends Error {}

const TYPES = { F64: [8, Float64Array], F32: [4, Float32Array], F16: [2, Uint16Array] };
const MOST_HEADER_BYTES = 100_000_000; // as the safetensors library

/** The tensors by name and digitlab's metadata of a file (ArrayBuffer). Raises ModelFileError for any damage. */
export function readSafetensors(buffer) {
  const fail = (what) => {
    throw new ModelFileError(`not a network file of digitlab: ${what}; expected a .safetensors file`);
  };
  if (buffer.byteLength < 8) fail(`it has ${buffer.byteLength} bytes`);
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const start = 8 + length;
  if (length > MOST_HEADER_BYTES || start > buffer.byteLength) fail("its header is longer than the file");
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer, 8, length)));
  } catch {
    fail("its header is not JSON");
  }
  if (header === null || typeof header !== "object" || Array.isArray(header)) fail("its header is not a table");
  const { __metadata__: texts = {}, ...entries } = header;
  const tensors = {};
  let expected = 0; // the arrays follow each other without a gap
  const inOrder = Object.entries(entries).sort(([, a], [, b]) => a?.data_offsets?.[0] - b?.data_offsets?.[0]);
  for (const [name, entry] of inOrder) {
    const [bytes, Kind] = TYPES[entry?.dtype] ?? fail(`${name} has the type ${entry?.dtype}, not F32, F64 or F16`);
    const shape = entry.shape;
    const [from, to] = Array.isArray(entry.data_offsets) ? entry.data_offsets : [];
    const whole = Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 0);
    if (!whole || from !== expected || to - from !== bytes * product(shape) || start + to > buffer.byteLength) {
      fail(`${name} has the shape ${JSON.stringify(shape)} at bytes ${from} to ${to}, which does not fit`);
    }
    expected = to;
    const numbers = new Kind(buffer.slice(start + from, start + to)); // copied: views must begin at whole words
    tensors[name] = new Tensor(Kind === Uint16Array ? halves(numbers) : numbers, shape);
  }
  if (start + expected !== buffer.byteLength) fail(`${buffer.byteLength - start - expected} bytes belong to no array`);
  let metadata;
  try {
    metadata = JSON.parse(texts.digitlab ?? "{}");
  } catch {
    fail("its description is not JSON");
  }
  return { tensors, metadata };
}

/** float16 numbers as float32. */
function halves(bits) {
  return Float32Array.from(bits, (h) => {
    const sign = h & 0x8000 ? -1 : 1;
    const exponent = (h >> 10) & 0x1f;
    const fraction = h & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}
