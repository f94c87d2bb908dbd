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
