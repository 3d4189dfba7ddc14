// A key shows the next picture at once; what it gives goes to the server one after the other.
const told = document.getElementById("told");
let sending = Promise.resolve();
let waiting = 0;
let run = 0; // of answers one after the other; it ends with one that is not saved
let fetched = []; // keeps pictures that come next in memory

const desk = () => document.getElementById("desk");

function fetchNext() {
  fetched = Array.from(desk().querySelectorAll("[data-large]"), ({ dataset }) => {
    const picture = new Image();
    picture.src = dataset.large;
    picture.decode().catch(() => {});
    return picture;
  });
}

// The first of the images that come next takes the place of the large one; false if there is none.
function showNext() {
  const next = desk().querySelector(".coming li");
  const large = document.getElementById("large");
  if (!next?.dataset.large || !large) {
    return false;
  }
  large.src = next.dataset.large;
  large.alt = next.dataset.path;
  document.getElementById("shown-path").textContent = next.dataset.path;
  document.getElementById("shown-told").textContent = next.dataset.told;
  for (const field of desk().querySelectorAll("[name=image]")) {
    field.value = next.dataset.id;
  }
  const suggested = document.getElementById("suggested");
  suggested.value = suggested.querySelector("bdi").textContent = next.dataset.suggested;
  suggested.hidden = suggested.disabled = !next.dataset.suggested;
  desk().querySelector(".another input").value = "";
  next.remove();
  return true;
}

function take(text, address) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const fresh = page.getElementById("desk");
  if (!fresh) {
    location.assign(address);
    return;
  }
  const { activeElement: active } = document;
  const again = desk().contains(active) && active.name ? `[name="${active.name}"][value="${CSS.escape(active.value)}"]` : "";
  const [old, now] = [document.getElementById("large"), fresh.querySelector("#large")];
  if (old && now && old.getAttribute("src") === now.getAttribute("src")) {
    now.replaceWith(old); // it is decoded already
  }
  desk().replaceWith(fresh);
  document.querySelector(".in-short").replaceWith(page.querySelector(".in-short"));
  told.textContent = page.getElementById("told").textContent;
  const url = new URL(address);
  url.searchParams.delete("did");
  history.replaceState(null, "", url);
  if (again) {
    fresh.querySelector(again)?.focus();
  }
  fetchNext();
}

// What waits behind an answer that is not saved is not sent: its images are shown again, too.
async function send(address, body, before, ofRun) {
  if (ofRun !== run) {
    return;
  }
  try {
    const answer = await fetch(address, { method: "POST", body });
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(new DOMParser().parseFromString(text, "text/html").querySelector(".lead")?.textContent);
    }
    waiting -= 1;
    if (waiting === 0) {
      take(text, answer.url);
    }
  } catch (error) {
    run += 1;
    waiting = 0;
    desk().replaceWith(before);
    told.textContent = `Not saved. ${error instanceof TypeError ? "Is the server still running?" : error.message}`;
  }
}

document.addEventListener("submit", (event) => {
  const { target, submitter } = event;
  if (!target.matches("#desk form[data-quick]")) {
    return;
  }
  event.preventDefault();
  if (desk().getAttribute("aria-busy")) {
    return;
  }
  const before = desk().cloneNode(true);
  const body = new URLSearchParams(new FormData(target, submitter));
  const ofRun = run;
  waiting += 1;
  if (target.dataset.quick !== "next" || !showNext()) {
    desk().setAttribute("aria-busy", "true");
  }
  sending = sending.then(() => send(target.action, body, before, ofRun));
});
fetchNext();
