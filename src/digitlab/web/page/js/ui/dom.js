// Elements without HTML in strings: text is always text.

/**
 * `el("p", { class: "muted", onclick: f, hidden: true }, "text", child)`; null children are left out.
 * `style` is a table of properties: the page's policy allows no style attributes.
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Replace everything in an element. If the focus was in it, it stays on the same control or the one in its place. */
export function fill(element, ...children) {
  const active = document.activeElement;
  const inside = element !== active && element.contains(active);
  const [name, place] = inside ? [controlName(active), controlsIn(element).indexOf(active)] : [];
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  if (inside) focusAgain(element, active, name, place);
  return element;
}

const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex='0']";

/** The controls in an element that Tab can reach: those that are shown and enabled. */
function controlsIn(element) {
  return [...element.querySelectorAll(CONTROLS)].filter((each) => !each.disabled && each.getClientRects().length);
}

/** What a control is called; two with the same name are the same control, drawn twice. */
function controlName(control) {
  const label = control.getAttribute("aria-label") ?? control.labels?.[0]?.textContent ?? control.textContent;
  return `${control.tagName} ${control.type ?? ""} ${label}`;
}

/** Focus what replaced `active`: of the controls with its name the nearest, else the one in its place, else the one before. */
function focusAgain(element, active, name, place) {
  const now = controlsIn(element);
  const named = now.filter((each) => controlName(each) === name);
  const nearest = named.sort((a, b) => Math.abs(now.indexOf(a) - place) - Math.abs(now.indexOf(b) - place))[0];
  const precedes = (each) => each.compareDocumentPosition(element) === Node.DOCUMENT_POSITION_FOLLOWING;
  const before = () => controlsIn(document.body).filter(precedes).at(-1);
  const next = now.includes(active) ? active : nearest ?? now[Math.min(Math.max(place, 0), now.length - 1)] ?? before();
  next?.focus({ preventScroll: true });
}

/** Text with `code` in backticks as nodes: prose("start `digitlab play` again"). */
export function prose(text) {
  return text.split("`").map((part, i) => (i % 2 ? el("code", {}, part) : part));
}

/** A line drawing of 24 × 24 from SVG path data. */
export function icon(path) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  const shape = document.createElementNS(namespace, "path");
  for (const [name, value] of Object.entries({ viewBox: "0 0 24 24", fill: "none", stroke: "currentColor" }))
    svg.setAttribute(name, value);
  svg.setAttribute("stroke-width", "1.8");
  svg.setAttribute("stroke-linecap", "round");
  svg.setAttribute("stroke-linejoin", "round");
  svg.setAttribute("aria-hidden", "true");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}
