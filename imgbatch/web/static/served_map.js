// The map of a served folder: points come as numbers, names and pictures when they are looked at.
import { send, tell } from "./talk.js";

const root = document.querySelector(".map");
const { stamp, count: total } = document.getElementById("map-facts").dataset;
const count = Number(total);
const KEPT = 3000; // pictures held in memory
const AT_ONCE = 600;
const known = new Map(); // of images: name, link, picture, and what waits for the picture
const asked = new Map(); // of images whose names are on their way
let gathering = null; // images whose names are asked for together

function ask(images) {
  const answer = send("/map/names", { stamp, images: images.join(",") });
  images.forEach((image, at) => asked.set(image, answer.then((all) => all[at])));
  answer
    .then((all) => images.forEach((image, at) => known.set(image, all[at])))
    .catch(() => tell("The server does not answer, or the images were read again. Load this page anew."))
    .finally(() => images.forEach((image) => asked.delete(image)));
}

// What is known of an image; many that are asked for in one moment make one request.
function describe(image) {
  if (known.has(image)) {
    return known.get(image);
  }
  if (asked.has(image)) {
    return asked.get(image);
  }
  if (!gathering) {
    const images = (gathering = new Set());
    images.done = Promise.resolve().then(() => {
      gathering = null;
      const list = [...images];
      for (let at = 0; at < list.length; at += AT_ONCE) {
        ask(list.slice(at, at + AT_ONCE));
      }
    });
  }
  gathering.add(image);
  return gathering.done.then(() => asked.get(image) ?? known.get(image));
}

function forget() {
  for (const [image] of known) {
    if (known.size <= KEPT) {
      return;
    }
    known.delete(image);
  }
}

function picture(image, ready) {
  const one = known.get(image);
  if (!one) {
    describe(image).then((made) => made && ready(), () => {});
    return null;
  }
  if (!one.loaded) {
    forget();
    one.loaded = new Image();
    one.loaded.addEventListener("load", ready);
    one.loaded.src = one.picture;
  }
  const { loaded } = one;
  if (!loaded.complete || !loaded.naturalWidth) {
    return null;
  }
  return { image: loaded, left: 0, top: 0, width: loaded.naturalWidth, height: loaded.naturalHeight };
}

async function find(words) {
  const answer = await fetch(`/map/found?words=${encodeURIComponent(words)}`);
  return [...new Uint32Array(await answer.arrayBuffer())];
}

async function paths(images) {
  const answer = await fetch("/map/paths", { method: "POST", body: new URLSearchParams({ stamp, images: images.join(",") }) });
  const left = Number(answer.headers.get("X-Left-Out"));
  return [await answer.text(), left ? `${left} names with a line break were left out. ` : ""];
}

async function basket(images) {
  const { images: inBasket, did } = await send("/map/basket", { stamp, images: images.join(",") });
  document.getElementById("in-basket").textContent = inBasket.toLocaleString("en");
  return did;
}

const swatches = [...document.querySelectorAll(".of-map li")];
const answer = await fetch(root.dataset.served);
if (!answer.ok) {
  tell("The images were read again. Load this page anew.");
  throw new Error(`the points of the map: status ${answer.status}`);
}
const points = await answer.arrayBuffer();
globalThis.showMap(root, {
  count,
  places: new Uint16Array(points, 0, 2 * count),
  colors: new Uint8Array(points, 4 * count, count),
  palette: swatches.map((one) => one.querySelector("rect").getAttribute("fill")),
  groups: swatches.map((one) => one.querySelector("bdi").textContent),
  side: 64,
  order: null,
  picture,
  describe: (images) => Promise.all(images.map(describe)),
  find,
  actions: { ...globalThis.pathActions(paths), basket },
});
