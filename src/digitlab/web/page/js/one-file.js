// The page of one file: its networks are in it, and no server is asked.
import { readNetwork } from "./engine/network.js";
import * as breakIt from "./screens/break.js";
import * as draw from "./screens/draw.js";
import * as gallery from "./screens/gallery.js";
import * as imagine from "./screens/imagine.js";
import * as open from "./screens/open.js";
import * as step from "./screens/step.js";
import { start } from "./shell.js";
import { el, fill } from "./ui/dom.js";
import { panel } from "./ui/panel.js";

/** The networks in this file, by the names that it gives them. */
function networksInside() {
  return [...document.querySelectorAll("script[data-name]")].map((element) => {
    const text = atob(element.textContent);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return { name: element.dataset.name, network: readNetwork(bytes.buffer) };
  });
}

// In a frame without an address of its own, a link to #/open would lead to the page around it.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#/']");
  if (!link) return;
  event.preventDefault();
  location.hash = link.getAttribute("href");
});

try {
  const networks = networksInside();
  const alone = [draw, open, step, breakIt, imagine];
  const app = start({ screens: networks.length > 1 ? [gallery, ...alone] : alone });
  app.networks = networks;
  app.setNetwork(networks[0].network, networks[0].name);
  app.show({ focus: false });
} catch (error) {
  fill(document.getElementById("main"), panel({ title: "This file cannot be shown" }, el("p", {}, error.message)));
}
document.documentElement.dataset.ready = "";
