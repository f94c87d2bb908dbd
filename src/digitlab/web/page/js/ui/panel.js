// Panels: a title, one sentence of explanation, a link to the documentation.
import { el, prose } from "./dom.js";

const DOCS = "https://github.com/digitlab/digitlab/blob/main/docs/";

/** `docs` is a page of the documentation such as "see-inside.md"; `width` is "third", "half", "two-thirds" or "". */
export function panel({ title, sentence = "", docs = "", width = "" }, ...children) {
  const heading = el("h2", {}, title);
  const link = docs && el("a", { href: DOCS + docs, target: "_blank", rel: "noopener", "aria-label": `Documentation: ${title}` }, "docs");
  return el(
    "section",
    { class: `panel ${width}`, "aria-label": title },
    el("header", {}, heading, link || null, sentence ? el("p", {}, prose(sentence)) : null),
    ...children,
  );
}

/** The head of a screen: its title, one sentence, and controls on the right. */
export function screenHead(title, sentence, ...tools) {
  return el("header", { class: "screen-head" }, el("div", {}, el("h1", {}, title), el("p", {}, prose(sentence))), ...tools);
}
