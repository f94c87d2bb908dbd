// Numbers in few characters.

/** Three significant digits: 0.0123, −4.5, 1.2e−7. */
export function short(x) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  const text = size >= 1e-4 && size < 1e6 ? String(Number(x.toPrecision(3))) : x.toExponential(2);
  return text.replaceAll("-", "−");
}

export const percent = (x) => `${(100 * x).toFixed(1)} %`;

/** "24 × 24 × 16". */
export const sizes = (shape) => shape.join(" × ");
