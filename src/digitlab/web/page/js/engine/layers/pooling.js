// Pooling: windows of a picture (N, H, W, C), channel by channel.

import { Layer, given } from "./layer.js";
import { placesOf, windowsOn } from "./windows.js";
import { ShapeError } from "../tensor.js";

const FILE = "digitlab/nn/pooling.py";

class Pool2D extends Layer {
  static defaults = { size: 2, stride: "none", padding: 0 };

  windows(shape) {
    return windowsOn(shape, this.size, given(this.stride) ? this.stride : this.size, this.padding);
  }
}

export class MaxPool2D extends Pool2D {
  static python = FILE;
  static formulas = {
    forward: "y = max over the window of x",
    backward:
      "g goes to the pixel that was the maximum, to the first one (row by row) if several are, as in PyTorch;\n" +
      "where windows overlap (stride < size) a pixel gets the sum",
  };
  static passesOn = true;

  forward(x) {
    const windows = this.windows(x.shape);
    const [n, , , channels] = x.shape;
    const y = x.zeros(n, ...windows.count, channels);
    const from = new Int32Array(y.data.length); // the place in x of each maximum
    for (let p = 0; p < n * windows.count[0] * windows.count[1]; p++) {
      const places = placesOf(windows, p);
      for (let c = 0; c < channels; c++) {
        let best = places[0][1] * channels + c;
        for (const [, pixel] of places) {
          const value = x.data[pixel * channels + c];
          if (value > x.data[best] || Number.isNaN(value)) best = pixel * channels + c;
        }
        from[p * channels + c] = best;
        y.data[p * channels + c] = x.data[best];
      }
    }
    return [y, { from, shape: x.shape }]; // (N, OH, OW, C)
  }

  backward(gradY, { from, shape }) {
    const gradX = gradY.zeros(...shape);
    for (let i = 0; i < from.length; i++) gradX.data[from[i]] += gradY.data[i];
    return gradX; // (N, H, W, C)
  }
}

export class AveragePool2D extends Pool2D {
  static python = FILE;
  static formulas = {
    forward: "y = Σ over the window of x / n,  n the pixels in it",
    backward: "every pixel of the window gets g/n; where windows overlap (stride < size) a pixel gets the sum",
  };

  forward(x) {
    const windows = this.windows(x.shape);
    const [n, , , channels] = x.shape;
    const y = x.zeros(n, ...windows.count, channels);
    for (let p = 0; p < n * windows.count[0] * windows.count[1]; p++) {
      const places = placesOf(windows, p);
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (const [, pixel] of places) sum += x.data[pixel * channels + c];
        y.data[p * channels + c] = sum / places.length;
      }
    }
    return [y, { windows, shape: x.shape }];
  }

  backward(gradY, { windows, shape }) {
    const gradX = gradY.zeros(...shape);
    const [n, , , channels] = shape;
    for (let p = 0; p < n * windows.count[0] * windows.count[1]; p++) {
      const places = placesOf(windows, p);
      for (const [, pixel] of places) {
        for (let c = 0; c < channels; c++) {
          gradX.data[pixel * channels + c] += gradY.data[p * channels + c] / places.length;
        }
      }
    }
    return gradX;
  }
}

export class GlobalAveragePool extends Layer {
  static python = FILE;
  static formulas = { forward: "y = Σ over all pixels of x / (H W)", backward: "every pixel gets g / (H W)" };

  forward(x) {
    if (x.shape.length !== 4) throw new ShapeError(`GlobalAveragePool(): got (${x.shape}), expected pictures`);
    const [n, height, width, channels] = x.shape;
    const sums = new Float64Array(n * channels);
    for (let p = 0; p < n * height * width; p++) {
      const example = Math.floor(p / (height * width));
      for (let c = 0; c < channels; c++) sums[example * channels + c] += x.data[p * channels + c];
    }
    const y = x.zeros(n, channels);
    y.data.set(sums.map((sum) => sum / (height * width)));
    return [y, x.shape]; // (N, C)
  }

  backward(gradY, shape) {
    const [n, height, width, channels] = shape;
    const gradX = gradY.zeros(...shape);
    for (let p = 0; p < n * height * width; p++) {
      const example = Math.floor(p / (height * width));
      for (let c = 0; c < channels; c++) {
        gradX.data[p * channels + c] = gradY.data[example * channels + c] / (height * width);
      }
    }
    return gradX; // (N, H, W, C)
  }
}
