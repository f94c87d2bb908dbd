"""The failures as a page of HTML that sorts and filters by itself."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from digitlab.viz.failures import Failures
from digitlab.viz.pages import data_uri, page, png_bytes

Array = np.ndarray[Any, Any]

STYLE = """
form { display: flex; flex-wrap: wrap; gap: .6rem 1.4rem; align-items: end; margin: 1rem 0; }
form label { display: grid; font-size: .9rem; }
select, input, button { font: inherit; }
#cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: .8rem; padding: 0; }
#cards { list-style: none; }
#cards li { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem; }
#cards li[hidden] { display: none; }
#cards img { width: 84px; height: 84px; image-rendering: pixelated; }
#cards p { margin: .2rem 0; }
.bars { margin: .3rem 0 0; font-size: .8rem; }
.bars div { display: grid; grid-template-columns: 2.2rem 1fr 3.4rem; gap: .3rem; align-items: center; }
.bars dt, .bars dd { margin: 0; }
.bar { display: block; height: .6rem; background: var(--strong); min-width: 1px; }
.true .bar { background: var(--warm); }
.value { text-align: right; }
"""

SCRIPT = """
const form = document.querySelector("form"), list = document.querySelector("#cards");
const count = document.querySelector("#count"), level = document.querySelector("#level");
const cards = [...list.children];
const number = (card, key) => Number(card.dataset[key]);
const orders = {
  surest: (a, b) => number(b, "confidence") - number(a, "confidence"),
  unsurest: (a, b) => number(a, "confidence") - number(b, "confidence"),
  true: (a, b) => number(a, "true") - number(b, "true") || orders.surest(a, b),
  guessed: (a, b) => number(a, "guessed") - number(b, "guessed") || orders.surest(a, b),
  position: (a, b) => number(a, "position") - number(b, "position"),
};
function update() {
  const chosen = new FormData(form), least = Number(chosen.get("least")) / 100;
  level.value = chosen.get("least") + " %";
  let shown = 0;
  for (const card of cards.sort(orders[chosen.get("order")])) {
    const fits = ["true", "guessed"].every(key => !chosen.get(key) || card.dataset[key] === chosen.get(key));
    card.hidden = !(fits && number(card, "confidence") >= least);
    shown += !card.hidden;
    list.append(card);
  }
  count.textContent = shown + " of " + cards.length + " shown";
}
form.addEventListener("input", update);
form.addEventListener("reset", () => setTimeout(update));
form.addEventListener("submit", event => event.preventDefault());
form.hidden = false;
update();
"""


def failures_page(
    images: Array, failures: Failures, class_names: Sequence[str], *, total: int, title: str, limit: int = 2000
) -> str:
    """A self-contained page with a card per failure: image, true and guessed class, every class's probability.

    images bytes (N, H, W) or (N, H, W, 3), the whole set; `total` is N. Without scripts the page shows all cards, the
    surest mistakes first. At most `limit` cards, and it says how many are left out.
    """
    wrong, shown = len(failures.positions), min(limit, len(failures.positions))
    cards = "\n".join(_card(images, failures, class_names, i) for i in range(shown))
    left_out = f" The {wrong - shown:,} least sure ones are left out." if wrong > shown else ""
    body = (
        f"<p>{wrong:,} of {total:,} images are read wrongly ({100 * wrong / max(total, 1):.2f} %).{left_out} A card "
        "shows what it is, what the network takes it for, and how its certainty is shared out; the true class's bar is "
        f'orange.</p>\n{_form(class_names)}\n<p id="count" role="status">{shown} of {shown} shown</p>\n'
        f'<ul id="cards">\n{cards}\n</ul>'
    )
    return page(title, body, style=STYLE, script=SCRIPT)


def _form(class_names: Sequence[str]) -> str:
    classes = "".join(f'<option value="{i}">{escape(name)}</option>' for i, name in enumerate(class_names))
    every = '<option value="">any</option>'
    return (
        # Hidden until the script runs: controls that do nothing would only mislead.
        '<form hidden aria-label="Sort and filter">'
        f'<label>True class <select name="true">{every}{classes}</select></label>'
        f'<label>Guessed class <select name="guessed">{every}{classes}</select></label>'
        '<label>Confidence at least <span><input type="range" name="least" min="0" max="100" value="0"> '
        '<output id="level">0 %</output></span></label>'
        '<label>Order <select name="order"><option value="surest">surest first</option>'
        '<option value="unsurest">least sure first</option><option value="true">true class</option>'
        '<option value="guessed">guessed class</option><option value="position">place in the set</option>'
        "</select></label>"
        '<button type="reset">Show all</button></form>'
    )


def _card(images: Array, failures: Failures, class_names: Sequence[str], i: int) -> str:
    position, true, guess = (int(array[i]) for array in (failures.positions, failures.labels, failures.guesses))
    confidence = float(failures.confidences[i])
    names = escape(class_names[true]), escape(class_names[guess])
    order = np.argsort(-failures.probabilities[i], kind="stable")
    kept = [int(k) for k in order[:4]]
    if true not in kept:
        kept[-1] = true
    bars = "".join(
        f"<div{' class=true' if k == true else ''}><dt>{escape(class_names[k])}</dt>"
        f'<dd><span class="bar" style="width:{100 * failures.probabilities[i, k]:.1f}%"></span></dd>'
        f'<dd class="value">{100 * failures.probabilities[i, k]:.1f} %</dd></div>'
        for k in kept
    )
    picture = data_uri(png_bytes(images[position]))
    return (
        f'<li data-true="{true}" data-guessed="{guess}" data-confidence="{confidence:.6f}" data-position="{position}">'
        f'<img src="{picture}" alt="image {position}, a {names[0]} read as {names[1]}" width="84" height="84">'
        f"<p><strong>{names[0]} → {names[1]}</strong>, no. {position}</p>"
        f'<dl class="bars">{bars}</dl></li>'
    )
