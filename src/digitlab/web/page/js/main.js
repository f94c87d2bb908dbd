// The page that `digitlab play` serves: every screen, with the server.
import { Api } from "./api.js";
import { readNetwork } from "./engine/network.js";
import { SCREENS } from "./screens/all.js";
import { start } from "./shell.js";
import { el, fill, prose } from "./ui/dom.js";
import { panel } from "./ui/panel.js";

const api = new Api();
const app = start({ screens: SCREENS, api });

try {
  const [about, bytes] = await Promise.all([api.get("about"), api.bytes("network")]);
  app.about = about;
  app.setNetwork(readNetwork(bytes), about.name);
  app.show({ focus: false });
} catch (error) {
  const unknown = error.status === 401;
  fill(
    document.getElementById("main"),
    panel(
      { title: unknown ? "This address lacks its token" : "The page cannot start" },
      el("p", {}, prose(unknown ? "Open the address that `digitlab play` printed: it ends in `#token=…`. Each start of the server has its own token." : error.message)),
    ),
  );
}
document.documentElement.dataset.ready = "";
