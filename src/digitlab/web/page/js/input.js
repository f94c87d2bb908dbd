// The image at hand as an input of the network, whatever size the network takes.
import { BOX_FILTER, resized } from "./engine/digits.js";
import { product } from "./engine/tensor.js";

/** Why a network cannot be shown an image; "" if it can. */
export function whyNoImage(network) {
  const [height, width, channels = 1] = network.pictureShape;
  if (height >= 4 && width >= 4 && (channels === 1 || channels === 3)) return "";
  return `This network takes ${network.inputShape.join(" × ")} numbers, which are no image; the screen Train shows such networks.`;
}

/** The image in the network's size, 0 … 1: { pixels (height × width), height, width }. */
export function fitted(network, image) {
  const [height, width] = network.pictureShape;
  const [h, w] = image.shape ?? [28, 28];
  if (h === height && w === width) return { pixels: image.pixels, height, width };
  const { data } = resized({ data: image.pixels, height: h, width: w }, height, width, BOX_FILTER);
  return { pixels: data.map((v) => Math.min(Math.max(v, 0), 1)), height, width };
}

/** A batch of one from pixels (0 … 1) of the network's size; a colour network gets them in each channel. */
export function batchOf(network, pixels) {
  const channels = product(network.inputShape) / pixels.length;
  const bytes = new Float64Array(pixels.length * channels);
  pixels.forEach((value, i) => {
    const byte = 255 * value;
    const whole = Math.round(byte);
    bytes.fill(Math.abs(byte - whole) < 1e-3 ? whole : byte, i * channels, (i + 1) * channels); // 0 … 1 is rounded
  });
  return network.prepare(bytes);
}

/** The image at hand as a batch of one. */
export const inputOf = (app) => batchOf(app.network, fitted(app.network, app.image).pixels);

/** An image of the server, { pixels: base64, shape }, as `app.setImage` takes it. */
export function decoded({ pixels, shape }) {
  const bytes = Uint8Array.from(atob(pixels), (c) => c.charCodeAt(0));
  const [height, width, channels = 1] = shape;
  const grey = new Float32Array(height * width);
  bytes.forEach((byte, i) => (grey[Math.floor(i / channels)] += byte / 255 / channels));
  return { pixels: grey, shape: [height, width] };
}
