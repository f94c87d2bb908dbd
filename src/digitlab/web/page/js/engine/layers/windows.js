// Windows that slide over a picture, for convolution and pooling alike. Every pair is (down, across).

import { ShapeError } from "../tensor.js";

export const pair = (value) => (Array.isArray(value) ? value : [value, value]);

/** The windows on pictures of shape (N, H, W, C). "same" gives ⌈size/stride⌉ of them; an odd pixel goes after. */
export function windowsOn(shape, kernel, stride, padding, dilation = 1) {
  if (shape.length !== 4) {
    throw new ShapeError(`got input of shape (${shape.slice(1).join(", ")}), expected (height, width, channels)`);
  }
  [kernel, stride, dilation] = [pair(kernel), pair(stride), pair(dilation)];
  const picture = [shape[1], shape[2]];
  const before = [0, 0];
  const count = [0, 0];
  for (const axis of [0, 1]) {
    const reach = dilation[axis] * (kernel[axis] - 1) + 1;
    const size = picture[axis];
    const around =
      padding === "same"
        ? Math.max((Math.ceil(size / stride[axis]) - 1) * stride[axis] + reach - size, 0)
        : 2 * pair(padding)[axis];
    before[axis] = Math.floor(around / 2);
    count[axis] = Math.floor((size + around - reach) / stride[axis]) + 1;
  }
  if (Math.min(...count) < 1) {
    throw new ShapeError(`got a picture of ${picture.join("×")}, which is smaller than the window ${kernel.join("×")}`);
  }
  return { kernel, stride, dilation, picture, before, count };
}

/** [place in the kernel, pixel of the batch] of everything that window number p of the batch sees; no padding. */
export function placesOf({ kernel, stride, dilation, picture, before, count }, p) {
  const [height, width] = picture;
  const positions = count[0] * count[1];
  const n = Math.floor(p / positions);
  const top = Math.floor((p % positions) / count[1]) * stride[0] - before[0];
  const left = (p % count[1]) * stride[1] - before[1];
  const places = [];
  for (let i = 0; i < kernel[0]; i++) {
    const row = top + i * dilation[0];
    if (row < 0 || row >= height) continue;
    for (let j = 0; j < kernel[1]; j++) {
      const column = left + j * dilation[1];
      if (column >= 0 && column < width) places.push([i * kernel[1] + j, (n * height + row) * width + column]);
    }
  }
  return places;
}
