// Buttons, sliders, choices and number fields, each with its label.
import { el, icon } from "./dom.js";

/** `button("Train", { on, kind: "primary", key: "space", path })`; `path` is an icon's. */
export function button(text, { on, kind = "", key = "", path = "", label = "", ...rest } = {}) {
  return el(
    "button",
    { type: "button", class: `button ${kind}`, onclick: on, "aria-label": label || null, title: label || null, ...rest },
    path ? icon(path) : null,
    text,
    key ? el("kbd", { "aria-hidden": "true" }, key) : null,
  );
}

/**
 * A slider with its value. With `log`, equal steps multiply: for learning rates. `format` makes the shown text.
 * Returns { element, value, set(value) }; `on(value)` is called while it moves.
 */
export function slider({ label, min, max, step = 1, value, log = false, format = (x) => String(x), on = () => {} }) {
  const place = log ? Math.log : (x) => x;
  const back = log ? (x) => Number(Math.exp(x).toPrecision(2)) : (x) => x;
  const output = el("output");
  const input = el("input", {
    type: "range",
    min: place(min),
    max: place(max),
    step: log ? (place(max) - place(min)) / 120 : step,
    "aria-label": label,
  });
  const part = {
    element: el("label", { class: "slider" }, el("span", {}, label), output, input),
    value,
    set(next) {
      part.value = next;
      input.value = place(next);
      output.textContent = format(next);
      input.setAttribute("aria-valuetext", format(next));
    },
  };
  input.addEventListener("input", () => {
    const next = back(Number(input.value));
    part.value = next;
    output.textContent = format(next);
    input.setAttribute("aria-valuetext", format(next));
    on(next);
  });
  part.set(value);
  return part;
}

let groups = 0;

/** One of a few options, all visible. `options` is a list of [value, text]. Returns { element, value, set }. */
export function choice({ label, options, value, on = () => {}, hideLabel = false }) {
  const name = `choice-${++groups}`;
  const inputs = options.map(([key]) =>
    el("input", { type: "radio", name, value: key, checked: key === value, onchange: () => on((part.value = key)) }),
  );
  const part = {
    element: el(
      "fieldset",
      { class: "choice" },
      el("legend", { class: hideLabel ? "hidden-text" : null }, label),
      el("div", { class: "options" }, options.map(([, text], i) => el("label", {}, inputs[i], text))),
    ),
    value,
    set(next) {
      part.value = next;
      for (const input of inputs) input.checked = input.value === next;
    },
  };
  return part;
}

/** One of many options, in a list. `options` is a list of [value, text]. Returns { element, value, set }. */
export function select({ label, options, value, on = () => {} }) {
  const input = el("select", { onchange: () => on((part.value = input.value)) });
  const part = {
    element: el("label", { class: "field" }, el("span", {}, label), input),
    value,
    set(next) {
      part.value = next;
      input.value = next;
    },
    setOptions(list) {
      input.replaceChildren(...list.map(([key, text]) => el("option", { value: key }, text)));
      input.value = part.value;
    },
  };
  part.setOptions(options);
  return part;
}

/**
 * A number to type. Returns { element, value, set }; `on` gets whole numbers between `min` and `max`, the nearest one to
 * what was typed. With `whole` false it gets fractions, too. An empty field goes back to what it was.
 */
export function numberField({ label, value, min = 0, max = 1e9, step = 1, whole = true, on = () => {} }) {
  const input = el("input", { type: "number", min, max, step: whole ? step : "any", value });
  const part = {
    element: el("label", { class: "field" }, el("span", {}, label), input),
    value,
    set(next) {
      part.value = next;
      input.value = next;
    },
  };
  input.addEventListener("change", () => {
    if (input.value === "") return part.set(part.value);
    const typed = Math.min(max, Math.max(min, Number(input.value)));
    part.set(whole ? Math.round(typed) : typed);
    on(part.value);
  });
  return part;
}

/** A box to tick. */
export function checkbox({ label, value = false, on = () => {} }) {
  const input = el("input", { type: "checkbox", checked: value, onchange: () => on((part.value = input.checked)) });
  const part = {
    element: el("label", { class: "check" }, input, label),
    value,
    set(next) {
      part.value = next;
      input.checked = next;
    },
  };
  return part;
}
