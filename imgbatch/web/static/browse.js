// Keys and the basket without loading a page anew. Without it all works by links and forms.
import { send, tell } from "./talk.js";

const form = document.getElementById("basket-form");
const count = document.getElementById("in-basket");
const singleKeys = document.getElementById("single-keys");
const STORED = "imgbatch-single-keys";

async function changeBasket(values) {
  try {
    const { images, did } = await send(form.action, values);
    count.textContent = images.toLocaleString("en");
    tell(did);
    return did;
  } catch {
    tell("The basket could not be changed. Is the server still running?");
    return "";
  }
}

async function toggle(button) {
  const adds = button.name === "add";
  if (!(await changeBasket([[button.name, button.value]]))) {
    return;
  }
  for (const one of document.querySelectorAll(`.card-actions [value="${CSS.escape(button.value)}"]`)) {
    one.name = adds ? "remove" : "add";
    one.setAttribute("aria-pressed", adds);
    one.lastChild.textContent = adds ? "in the basket" : "to the basket";
  }
}

// The card of the picture that is enlarged, else of what has the focus.
function currentCard() {
  const large = document.querySelector("#enlarged[open] .picture img");
  if (large) {
    return document.querySelector(`.card img[data-large="${CSS.escape(large.dataset.large ?? "")}"]`)?.closest(".card");
  }
  return document.activeElement.closest(".card");
}

// The page as it is by now, with what was done in place of what was told before.
function showAnew(did) {
  if (did) {
    const address = new URL(location.href);
    address.searchParams.set("did", did);
    location.replace(address);
  }
}

function onKey(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || !singleKeys.checked) {
    return;
  }
  if (target.matches("input:not([type=checkbox]), select, textarea")) {
    return;
  }
  if (key === "Enter" && target.matches("a, button, summary, input")) {
    return;
  }
  const button = key === "x" ? currentCard()?.querySelector(".card-actions button") : null;
  const keyed = document.querySelector(`[data-key~="${CSS.escape(key)}"]:not(:disabled)`);
  if (button) {
    toggle(button);
  } else if (key === "u" && !keyed) {
    changeBasket([["undo", "1"]]).then(showAnew);
  } else if (keyed && !document.querySelector("dialog[open]")) {
    keyed.click();
  } else {
    return;
  }
  event.preventDefault();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".card-actions button[form=basket-form]");
  if (button) {
    event.preventDefault();
    toggle(button);
  }
});
document.addEventListener("keydown", onKey);
singleKeys.checked = localStorage.getItem(STORED) !== "off";
singleKeys.addEventListener("change", () => localStorage.setItem(STORED, singleKeys.checked ? "on" : "off"));
document.querySelector(".menu [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
