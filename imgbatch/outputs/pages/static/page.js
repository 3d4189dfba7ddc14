// Adds to a page what needs a script: enlarged pictures and keys. Without it everything is readable.
(() => {
  "use strict";
  const enlarged = document.getElementById("enlarged");
  const help = document.getElementById("help");
  const singleKeys = document.getElementById("single-keys");
  const sets = Array.from(document.querySelectorAll("[data-set]"), (list) =>
    Array.from(list.querySelectorAll(".mat img"), asButton)
  ).filter((buttons) => buttons.length);
  let shown = null; // the button of the picture that is enlarged

  // What enlarges a picture; on the local page a picture is a link, which leads on.
  function asButton(picture) {
    const link = picture.closest("a");
    if (link) {
      return link;
    }
    const button = document.createElement("button");
    button.type = "button";
    button.className = "zoom";
    button.setAttribute("aria-haspopup", "dialog");
    picture.replaceWith(button);
    button.append(picture);
    button.addEventListener("click", () => enlarge(button));
    return button;
  }

  function setOf(button) {
    return sets.find((buttons) => buttons.includes(button));
  }

  function enlarge(button) {
    shown = button;
    const buttons = setOf(button);
    const place = buttons.indexOf(button);
    const caption = button.closest("figure").querySelector("figcaption");
    const picture = button.firstElementChild.cloneNode();
    picture.src = picture.dataset.large ?? picture.src;
    enlarged.querySelector(".picture").replaceChildren(picture);
    enlarged.querySelector(".caption").replaceChildren(...caption.cloneNode(true).childNodes);
    enlarged.querySelector("output").textContent = `${place + 1} of ${buttons.length}`;
    for (const control of enlarged.querySelectorAll("[data-step]")) {
      control.setAttribute("aria-disabled", !buttons[place + Number(control.dataset.step)]);
    }
    if (!enlarged.open) {
      enlarged.showModal();
    }
  }

  // The focus goes to the picture that was shown last, at once: a later event could come too late.
  function close(dialog) {
    dialog.close();
    if (dialog === enlarged) {
      shown.focus();
    }
  }

  function step(by) {
    const buttons = setOf(shown);
    const next = buttons[buttons.indexOf(shown) + by];
    if (next) {
      enlarge(next);
    }
  }

  // The picture that lies in the direction of an arrow key, in this set or in the one beyond it.
  function neighbour(button, key) {
    const buttons = setOf(button);
    const place = buttons.indexOf(button);
    const forward = key === "ArrowRight" || key === "ArrowDown";
    const beyond = sets[sets.indexOf(buttons) + (forward ? 1 : -1)] ?? [];
    const nearest = forward ? beyond[0] : beyond.at(-1);
    if (key === "ArrowLeft" || key === "ArrowRight") {
      return buttons[place + (forward ? 1 : -1)] ?? nearest;
    }
    const here = button.getBoundingClientRect();
    const middle = (box) => box.left + box.width / 2;
    let best = nearest;
    let least = Infinity;
    for (const other of buttons) {
      const box = other.getBoundingClientRect();
      const rows = forward ? box.top - here.bottom : here.top - box.bottom;
      const apart = rows * 1000 + Math.abs(middle(box) - middle(here));
      if (rows >= 0 && apart < least) {
        [best, least] = [other, apart];
      }
    }
    return best;
  }

  function onKey(event) {
    const { key, target } = event;
    const isSingle = key === "z" || key === "?";
    if (event.ctrlKey || event.altKey || event.metaKey || (isSingle && !singleKeys.checked)) {
      return;
    }
    const onPicture = target.classList?.contains("zoom");
    const nowhere = target === document.body;
    const open = [enlarged, help].find((dialog) => dialog.open);
    if (key === "Escape" && open) {
      close(open); // at once: the browser's own way comes after keys that are typed next
    } else if (key === "?" && !open) {
      help.showModal();
    } else if (enlarged.open && (key === "ArrowLeft" || key === "ArrowRight")) {
      step(key === "ArrowRight" ? 1 : -1);
    } else if (enlarged.open && key === "z") {
      close(enlarged);
    } else if (open) {
      return;
    } else if (key === "z" && onPicture) {
      enlarge(target);
    } else if (key.startsWith("Arrow") && onPicture) {
      (neighbour(target, key) ?? target).focus();
    } else if ((key === "ArrowLeft" || key === "ArrowRight") && nowhere && sets.length) {
      sets[0][0].focus();
    } else {
      return;
    }
    event.preventDefault();
  }

  for (const dialog of [enlarged, help]) {
    dialog.querySelector("[data-close]").addEventListener("click", () => close(dialog));
    dialog.addEventListener("click", (event) => event.target === dialog && close(dialog));
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault(); // what else closes dialogs, such as a phone's back button
      close(dialog);
    });
  }
  for (const control of enlarged.querySelectorAll("[data-step]")) {
    control.addEventListener("click", () => step(Number(control.dataset.step)));
  }
  const opener = document.getElementById("show-help");
  opener.addEventListener("click", () => help.showModal());
  opener.parentElement.hidden = false;
  document.addEventListener("keydown", onKey);
})();
