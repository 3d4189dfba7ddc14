// Keys, enlarged pictures and the basket without loading the page anew. Without it all works by links.
const form = document.getElementById("basket-form");
const told = document.getElementById("told");
const count = document.getElementById("in-basket");

// Sends what the form would send, and takes over what the answer says, without leaving the page.
async function changeBasket(button) {
  const body = new URLSearchParams([["back", location.pathname + location.search], [button.name, button.value]]);
  const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
  if (!answer.ok) {
    told.textContent = "The basket could not be changed.";
    return;
  }
  const { images, did } = await answer.json();
  count.textContent = images.toLocaleString("en");
  told.textContent = did;
  const isIn = button.name === "add";
  button.name = isIn ? "remove" : "add";
  button.setAttribute("aria-pressed", isIn);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".card-actions button[form=basket-form]");
  if (button) {
    event.preventDefault();
    changeBasket(button);
  }
});
