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

/** A network in this file, with the name that it has there. */
async function networkIn(element) {
  const packed = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return { name: element.dataset.name, network: readNetwork(await new Response(unpacked).arrayBuffer()) };
}

async function begin() {
  const networks = await Promise.all([...document.querySelectorAll("script[data-name]")].map(networkIn));
  const alone = [draw, open, step, breakIt, imagine];
  const app = start({ screens: networks.length > 1 ? [gallery, ...alone] : alone });
  app.networks = networks;
  app.setNetwork(networks[0].network, networks[0].name);
  app.show({ focus: false });
}

// In a frame without an address of its own, a link to #/open would lead to the page around it.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#/']");
  if (!link) return;
  event.preventDefault();
  location.hash = link.getAttribute("href");
});

begin()
  .catch((error) =>
    fill(document.getElementById("main"), panel({ title: "This file cannot be shown" }, el("p", {}, error.message))),
  )
  .finally(() => (document.documentElement.dataset.ready = ""));
