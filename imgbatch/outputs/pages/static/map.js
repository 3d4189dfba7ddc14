// The map of a folder's images: a canvas of points and pictures, and a list that says the same.
//
// It is given a root element and a source, which knows the images by number from 0 on:
//   count, places (x, y of each, 0 to 65535), colors, palette, groups, side (of pictures, in pixels)
//   order         images in the order of the list; null for that of their numbers
//   picture(image, ready)  {image, left, top, width, height}; null until `ready` is called
//   describe(images)       {name, link} of each, or a promise of them
//   find(words)            images whose names hold the words, in the order of the list, or a promise
globalThis.showMap = (root, source) => {
  "use strict";
  const { count, places, colors, palette, groups } = source;
  const LEVELS = 65535;
  const MARGIN = 24;
  const AS_PICTURES = 600; // with fewer images in view, these are pictures
  const AS_LARGE = 60; // and with still fewer, large ones
  const PER_PAGE = 50;
  const NEAR_PX = 16;

  const field = root.querySelector(".field");
  const canvas = field.querySelector("canvas");
  const context = canvas.getContext("2d");
  const hovered = field.querySelector(".hovered");
  const find = root.querySelector("[name=find]");
  const output = root.querySelector("output");
  const lookedAt = root.querySelector(".looked-at");
  const view = { x: 0, y: 0, scale: 1 }; // the corner of the view, in pixels of the whole map
  const chosen = new Uint8Array(count);
  let choices = 0; // images chosen
  let found = null; // images whose names match; null if nothing is searched
  let first = 0; // of the images on this page of the list
  let current = -1;
  let hovering = -1;
  let lasso = null; // corners of the lasso while it is drawn
  let drag = null;
  let lassoing = false;
  let waiting = false;
  let turn = 0; // counts lists, so that a late answer does not replace a newer one
  let side = 0; // of the square that holds the whole map, unzoomed

  const screenX = (image) => (places[2 * image] / LEVELS) * side * view.scale - view.x;
  const screenY = (image) => (places[2 * image + 1] / LEVELS) * side * view.scale - view.y;
  const rgb = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  const packed = ([red, green, blue]) => (255 << 24) | (blue << 16) | (green << 8) | red;
  const inks = Uint32Array.from(palette, (color) => packed(rgb(color)));
  const pale = Uint32Array.from(palette, (color) => packed(rgb(color).map((one) => Math.round(one * 0.2 + 204))));
  const number = (value) => value.toLocaleString("en");

  function where(holds) {
    const images = [];
    for (let one = 0; one < count; one += 1) {
      if (holds(one)) {
        images.push(one);
      }
    }
    return images;
  }

  function inView() {
    const { clientWidth: width, clientHeight: height } = canvas;
    return where((image) => {
      const [x, y] = [screenX(image), screenY(image)];
      return x >= 0 && y >= 0 && x < width && y < height;
    });
  }

  // ----- drawing -----

  function drawSoon() {
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(draw);
    }
  }

  function draw() {
    waiting = false;
    const started = performance.now();
    const ratio = devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
    }
    const visible = drawPoints(width, height, ratio);
    context.save();
    context.scale(ratio, ratio);
    if (visible <= AS_PICTURES) {
      const images = inView();
      images.forEach((image) => drawPicture(image, images.length > AS_LARGE ? 1 : 2));
    }
    drawMarks();
    context.restore();
    canvas.dataset.frame = (performance.now() - started).toFixed(2);
    canvas.dataset.pictures = visible <= AS_PICTURES ? visible : 0;
  }

  // Squares written into the picture's memory: ten times faster than any drawing call.
  function drawPoints(width, height, ratio) {
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer).fill(0xffffffff);
    const size = Math.max(2, Math.min(9, Math.round((ratio * side * Math.sqrt(view.scale)) / (4 * Math.sqrt(count)))));
    const step = (ratio * side * view.scale) / LEVELS;
    const [offsetX, offsetY] = [view.x * ratio + size / 2 - 0.5, view.y * ratio + size / 2 - 0.5];
    let visible = 0;
    for (const front of choices ? [0, 1] : [0]) {
      const marks = choices && !front ? pale : inks;
      for (let one = 0; one < count; one += 1) {
        const left = Math.floor(places[2 * one] * step - offsetX);
        const top = Math.floor(places[2 * one + 1] * step - offsetY);
        if (left <= -size || top <= -size || left >= width || top >= height || (choices && chosen[one] !== front)) {
          continue;
        }
        visible += 1;
        const ink = marks[colors[one]];
        const right = left + size < width ? left + size : width;
        const bottom = top + size < height ? top + size : height;
        for (let row = top > 0 ? top : 0; row < bottom; row += 1) {
          for (let at = row * width + (left > 0 ? left : 0); at < row * width + right; at += 1) {
            pixels[at] = ink;
          }
        }
      }
    }
    context.putImageData(image, 0, 0);
    return visible;
  }

  function pictureOf(image) {
    return source.picture(image, () => {
      drawSoon();
      if (image === current) {
        enlarge(lookedAt.querySelector("canvas"), image);
      }
      if (image === hovering) {
        enlarge(hovered.querySelector("canvas"), image);
      }
    });
  }

  function drawPicture(image, factor) {
    const picture = pictureOf(image);
    if (!picture) {
      return;
    }
    const scale = (factor * source.side) / Math.max(picture.width, picture.height, source.side);
    const [width, height] = [picture.width * scale, picture.height * scale];
    const [x, y] = [screenX(image) - width / 2, screenY(image) - height / 2];
    context.globalAlpha = choices && !chosen[image] ? 0.35 : 1;
    context.drawImage(picture.image, picture.left, picture.top, picture.width, picture.height, x, y, width, height);
    context.lineWidth = 2;
    context.strokeStyle = palette[colors[image]];
    context.strokeRect(x, y, width, height);
    context.globalAlpha = 1;
  }

  function drawMarks() {
    context.lineWidth = 3;
    context.strokeStyle = "#000000";
    if (current >= 0) {
      context.strokeRect(screenX(current) - 10, screenY(current) - 10, 20, 20);
    }
    if (lasso) {
      context.lineWidth = 2;
      context.beginPath();
      lasso.forEach(([x, y]) => context.lineTo(x, y));
      context.closePath();
      context.stroke();
    }
  }

  function enlarge(target, image) {
    const picture = pictureOf(image);
    if (picture) {
      const factor = Math.max(1, Math.min(2, 256 / Math.max(picture.width, picture.height)));
      [target.width, target.height] = [picture.width * factor, picture.height * factor];
      const { left, top, width, height } = picture;
      target.getContext("2d").drawImage(picture.image, left, top, width, height, 0, 0, target.width, target.height);
    }
  }

  // ----- moving -----

  function show(whole) {
    side = Math.max(Math.min(canvas.clientWidth, canvas.clientHeight) - 2 * MARGIN, 50);
    if (whole) {
      view.scale = 1;
      view.x = (side - canvas.clientWidth) / 2;
      view.y = (side - canvas.clientHeight) / 2;
    }
    drawSoon();
  }

  function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const scale = Math.min(Math.max(view.scale * factor, 0.5), 2000);
    view.x = ((view.x + x) * scale) / view.scale - x;
    view.y = ((view.y + y) * scale) / view.scale - y;
    view.scale = scale;
    hovered.hidden = true;
    drawSoon();
  }

  function move(x, y) {
    view.x += x;
    view.y += y;
    hovered.hidden = true;
    drawSoon();
  }

  function nearest(x, y, most, except = -1) {
    const best = [];
    const apart = [];
    let farthest = Infinity;
    for (let one = 0; one < count; one += 1) {
      const distance = (screenX(one) - x) ** 2 + (screenY(one) - y) ** 2;
      if (distance < farthest && one !== except) {
        let at = apart.length;
        while (at && apart[at - 1] > distance) {
          at -= 1;
        }
        best.splice(at, 0, one);
        apart.splice(at, 0, distance);
        best.length = apart.length = Math.min(best.length, most);
        farthest = best.length < most ? Infinity : apart[most - 1];
      }
    }
    return best;
  }

  function imageAt(x, y) {
    const [image] = nearest(x, y, 1);
    const reach = Number(canvas.dataset.pictures) ? source.side / 2 : NEAR_PX;
    return image !== undefined && Math.hypot(screenX(image) - x, screenY(image) - y) <= reach ? image : -1;
  }

  async function hover(x, y) {
    const image = imageAt(x, y);
    hovering = image;
    if (image < 0) {
      hovered.hidden = true;
      return;
    }
    const [text] = await described([image]);
    if (hovering === image) {
      hovered.hidden = false;
      enlarge(hovered.querySelector("canvas"), image);
      hovered.querySelector("p").textContent = text;
      hovered.style.left = `${Math.min(x + 14, Math.max(canvas.clientWidth - 230, 0))}px`;
      hovered.style.top = `${Math.max(y - 60, 0)}px`;
    }
  }

  // ----- finding and choosing -----

  // Names may hold characters that turn text around or cannot be seen.
  const readable = (name) => name.replace(/\p{C}/gu, "\ufffd");

  async function described(images) {
    const known = await source.describe(images);
    return known.map(({ name }, at) => `${readable(name)} (${readable(groups[colors[images[at]]])})`);
  }

  function choose(images) {
    chosen.fill(0);
    for (const image of images) {
      chosen[image] = 1;
    }
    choices = images.length;
    first = 0;
    output.textContent =
      choices === 1 ? "1 image is chosen." : `${choices ? number(choices) : "No"} image${choices ? "s are" : " is"} chosen.`;
    list();
    drawSoon();
  }

  async function search() {
    const words = find.value.trim().toLowerCase();
    const images = words ? await source.find(words) : null;
    if (find.value.trim().toLowerCase() === words) {
      found = images;
      first = 0;
      list();
    }
  }

  // Crossings of a ray to the right, counted for every image (Shimrat 1962).
  function inside(corners) {
    const lines = corners.map(([x, y], at) => [x, y, ...corners[(at + 1) % corners.length]]);
    return where((image) => {
      const [x, y] = [screenX(image), screenY(image)];
      let odd = false;
      for (const [x1, y1, x2, y2] of lines) {
        odd = y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1 ? !odd : odd;
      }
      return odd;
    });
  }

  // The chosen images, in the order of the list.
  function choice() {
    const isChosen = (image) => chosen[image];
    return source.order ? source.order.filter(isChosen) : where(isChosen);
  }

  // ----- the list -----

  function item(image, text) {
    const entry = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.dir = "auto";
    button.addEventListener("click", () => lookAt(image));
    entry.append(button);
    return entry;
  }

  async function fill(target, images) {
    const texts = await described(images);
    target.replaceChildren(...images.map((image, at) => item(image, texts[at])));
  }

  function list() {
    let what = "Images";
    let listed = source.order;
    if (choices) {
      [listed, what] = [choice(), "Chosen images"];
    } else if (found) {
      [listed, what] = [found, "Images found"];
    }
    const total = listed ? listed.length : count;
    const last = Math.min(first + PER_PAGE, total);
    const shown = listed ? listed.slice(first, last) : Array.from({ length: last - first }, (_, at) => first + at);
    const which = total ? `${number(first + 1)} to ${number(last)} of ${number(total)}` : "none";
    root.querySelector(".listed").textContent = `${what}: ${which}`;
    root.querySelector("[data-do=before]").disabled = first === 0;
    root.querySelector("[data-do=after]").disabled = last >= total;
    const mine = ++turn;
    return described(shown).then((texts) => {
      if (mine === turn) {
        root.querySelector(".list").replaceChildren(...shown.map((image, at) => item(image, texts[at])));
      }
    });
  }

  async function turnBy(pages) {
    first = Math.max(first + pages * PER_PAGE, 0);
    await list();
    root.querySelector(".list button").focus();
  }

  async function lookAt(image) {
    current = image;
    lookedAt.hidden = false;
    const heading = lookedAt.querySelector("h3");
    enlarge(lookedAt.querySelector("canvas"), image);
    move(screenX(image) - canvas.clientWidth / 2, screenY(image) - canvas.clientHeight / 2);
    const [[text], [{ link }]] = await Promise.all([described([image]), source.describe([image])]);
    heading.textContent = text;
    const more = lookedAt.querySelector("a");
    if (more && link) {
      more.href = link;
    }
    await fill(lookedAt.querySelector("ol"), nearest(screenX(image), screenY(image), 10, image));
    heading.focus({ preventScroll: true });
  }

  // ----- what the user does -----

  const at = (event) => [event.offsetX, event.offsetY];

  function press(event) {
    canvas.setPointerCapture(event.pointerId);
    drag = { from: at(event), last: at(event) };
    lasso = lassoing ? [at(event)] : null;
  }

  function moveTo(event) {
    const [x, y] = at(event);
    if (lasso) {
      lasso.push([x, y]);
      drawSoon();
    } else if (drag) {
      move(drag.last[0] - x, drag.last[1] - y);
      drag.last = [x, y];
    } else {
      hover(x, y);
    }
  }

  function release(event) {
    const [x, y] = at(event);
    if (lasso) {
      const corners = lasso;
      lasso = null;
      choose(corners.length > 2 ? inside(corners) : []);
    } else if (drag && Math.hypot(x - drag.from[0], y - drag.from[1]) < 4) {
      const image = imageAt(x, y);
      if (image >= 0) {
        lookAt(image);
      }
    }
    drag = null;
  }

  const keys = {
    ArrowLeft: () => move(-80, 0),
    ArrowRight: () => move(80, 0),
    ArrowUp: () => move(0, -80),
    ArrowDown: () => move(0, 80),
    "+": () => zoom(1.5),
    "=": () => zoom(1.5),
    "-": () => zoom(1 / 1.5),
  };
  const actions = {
    nearer: () => zoom(1.5),
    farther: () => zoom(1 / 1.5),
    whole: () => show(true),
    lasso: (button) => {
      lassoing = !lassoing;
      button.setAttribute("aria-pressed", lassoing);
    },
    "choose-view": () => choose(inView()),
    "choose-found": () => choose(found ?? []),
    "choose-none": () => choose([]),
    before: () => turnBy(-1),
    after: () => turnBy(1),
  };
  for (const [name, act] of Object.entries(source.actions)) {
    actions[name] = async () => (output.textContent = await act(choice(), root));
  }

  canvas.addEventListener("pointerdown", press);
  canvas.addEventListener("pointermove", moveTo);
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointerleave", () => {
    hovering = -1;
    hovered.hidden = true;
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 400), ...at(event));
  });
  canvas.addEventListener("keydown", (event) => {
    if (keys[event.key] && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  find.addEventListener("input", search);
  for (const button of root.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => actions[button.dataset.do](button));
  }
  root.hidden = false;
  list();
  show(true);
  new ResizeObserver(() => show(false)).observe(field);
};

// Copying and saving of paths, which `paths` gives as lines with a remark, or as a promise of both.
globalThis.pathActions = (paths) => ({
  copy: async (images, root) => {
    const [text, told] = await paths(images);
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea"); // where the clipboard is not to be had
      area.value = text;
      root.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    return `${told}Copied ${images.length} paths.`;
  },
  save: async (images) => {
    const [text, told] = await paths(images);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    link.download = "paths.txt";
    link.click();
    URL.revokeObjectURL(link.href);
    return `${told}Saved ${images.length} paths.`;
  },
});

// The images of a page that holds all it shows: names, and thumbnails in sheets.
globalThis.heldImages = (data) => {
  "use strict";
  const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const sizes = bytes(data.sizes); // width, height of each thumbnail
  const order = data.names.map((_, image) => image).sort((a, b) => (data.names[a] < data.names[b] ? -1 : 1));
  const lowered = data.names.map((name) => name.toLowerCase());
  const sheets = new Map();

  // The sheet that holds an image's thumbnail; it is decoded when it is first needed.
  function sheetOf(number) {
    if (!sheets.has(number)) {
      const image = new Image();
      const sheet = { image, waiting: new Set() };
      image.addEventListener("load", () => sheet.waiting.forEach((ready) => ready()));
      image.src = `data:image/jpeg;base64,${data.sheets[number]}`;
      sheets.set(number, sheet);
    }
    return sheets.get(number);
  }

  function picture(image, ready) {
    const place = image % data.columns ** 2;
    const sheet = sheetOf(Math.floor(image / data.columns ** 2));
    if (!sheet.image.complete || !sheet.image.naturalWidth) {
      sheet.waiting.add(ready);
      return null;
    }
    const [left, top] = [(place % data.columns) * data.side, Math.floor(place / data.columns) * data.side];
    return { image: sheet.image, left, top, width: sizes[2 * image], height: sizes[2 * image + 1] };
  }

  // The paths of images, a line each, and what is to be said of those that no line can hold.
  function paths(images) {
    const lines = images.map((image) => `${data.folder}/${data.names[image]}`);
    const kept = lines.filter((line) => !/[\r\n]/.test(line));
    const left = lines.length - kept.length;
    return [kept.map((line) => `${line}\n`).join(""), left ? `${left} names with a line break were left out. ` : ""];
  }

  return {
    count: data.names.length,
    places: new Uint16Array(bytes(data.positions).buffer), // x, y of each image
    colors: bytes(data.colors),
    palette: data.palette,
    groups: data.groups,
    side: data.side,
    order,
    picture,
    describe: (images) => images.map((image) => ({ name: data.names[image] })),
    find: (words) => order.filter((image) => lowered[image].includes(words)),
    actions: globalThis.pathActions(paths),
  };
};

{
  const data = document.querySelector(".map-data");
  if (data) {
    globalThis.showMap(document.querySelector(".map"), globalThis.heldImages(JSON.parse(data.textContent)));
  }
}
