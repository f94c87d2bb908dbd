// The colours of css/base.css as numbers, for canvases. They change with the theme: ask again when it does.

const known = new Map();
let probe = null;

/** [red, green, blue], 0 to 255, of a colour's name such as "positive". */
export function colour(name) {
  if (known.has(name)) return known.get(name);
  if (!probe) {
    probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(--${name})`;
  const rgb = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  known.set(name, rgb);
  return rgb;
}

/** The same as CSS text. */
export function css(name, alpha = 1) {
  return `rgb(${colour(name).join(" ")} / ${alpha})`;
}

/** Forget the colours: the theme has changed. */
export function forgetColours() {
  known.clear();
}

/** RGBA bytes for 256 steps between colours given as names, evenly spaced. */
export function ramp(...names) {
  const stops = names.map(colour);
  const bytes = new Uint8ClampedArray(256 * 4);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    for (let c = 0; c < 3; c++) bytes[4 * i + c] = stops[low][c] + (at - low) * (stops[low + 1][c] - stops[low][c]);
    bytes[4 * i + 3] = 255;
  }
  return bytes;
}
