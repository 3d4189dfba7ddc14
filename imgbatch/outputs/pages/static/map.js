// The map of a folder's images: a canvas of points and thumbnails, and a list that says the same.
(() => {
  "use strict";
  const root = document.querySelector(".map");
  const data = JSON.parse(document.querySelector(".map-data").textContent);
  const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const places = new Uint16Array(bytes(data.positions).buffer); // x, y of each image
  const colors = bytes(data.colors);
  const sizes = bytes(data.sizes); // width, height of each thumbnail
  const count = data.names.length;
  const all = Array.from({ length: count }, (_, image) => image);
  const byName = all.slice().sort((a, b) => (data.names[a] < data.names[b] ? -1 : 1));
  const lowered = data.names.map((name) => name.toLowerCase());
  const LEVELS = 65535;
  const MARGIN = 24;
  const AS_PICTURES = 600; // with fewer images in view, these are pictures
  const AS_LARGE = 60; // and with still fewer, large ones
  const PER_PAGE = 50;
  const NEAR_PX = 16;
  const sheets = new Map();

  const field = root.querySelector(".field");
  const canvas = field.querySelector("canvas");
  const context = canvas.getContext("2d");
  const hovered = field.querySelector(".hovered");
  const find = root.querySelector("[name=find]");
  const output = root.querySelector("output");
  const lookedAt = root.querySelector(".looked-at");
  const view = { x: 0, y: 0, scale: 1 }; // the corner of the view, in pixels of the whole map
  let chosen = new Set();
  let found = null; // images whose names match; null if nothing is searched
  let first = 0; // of the images on this page of the list
  let current = -1;
  let lasso = null; // corners of the lasso while it is drawn
  let drag = null;
  let lassoing = false;
  let waiting = false;
  let side = 0; // of the square that holds the whole map, unzoomed

  // Names may hold characters that turn text around or cannot be seen.
  const readable = (name) => name.replace(/\p{C}/gu, "\ufffd");
  const screenX = (image) => (places[2 * image] / LEVELS) * side * view.scale - view.x;
  const screenY = (image) => (places[2 * image + 1] / LEVELS) * side * view.scale - view.y;
  const rgb = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  const packed = ([red, green, blue]) => (255 << 24) | (blue << 16) | (green << 8) | red;
  const inks = data.palette.map((color) => packed(rgb(color)));
  const pale = data.palette.map((color) => packed(rgb(color).map((one) => Math.round(one * 0.2 + 204))));

  function inView() {
    const { clientWidth: width, clientHeight: height } = canvas;
    return all.filter((image) => {
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
    if (visible <= AS_PICTURES) {
      context.save();
      context.scale(ratio, ratio);
      const images = inView();
      images.forEach((image) => drawPicture(image, images.length > AS_LARGE ? 1 : 2));
      context.restore();
    }
    context.save();
    context.scale(ratio, ratio);
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
    const [stepX, offsetX] = [(ratio * side * view.scale) / LEVELS, view.x * ratio + size / 2];
    const offsetY = view.y * ratio + size / 2;
    const marked = chosen.size > 0;
    let visible = 0;
    for (const front of marked ? [false, true] : [true]) {
      for (let one = 0; one < count; one += 1) {
        const left = Math.round(places[2 * one] * stepX - offsetX);
        const top = Math.round(places[2 * one + 1] * stepX - offsetY);
        if (left <= -size || top <= -size || left >= width || top >= height || (marked && chosen.has(one) !== front)) {
          continue;
        }
        visible += 1;
        const ink = front ? inks[colors[one]] : pale[colors[one]];
        const right = Math.min(left + size, width);
        const bottom = Math.min(top + size, height);
        for (let row = Math.max(top, 0); row < bottom; row += 1) {
          pixels.fill(ink, row * width + Math.max(left, 0), row * width + right);
        }
      }
    }
    context.putImageData(image, 0, 0);
    return visible;
  }

  // The sheet that holds an image's thumbnail; it is decoded when it is first needed.
  function sheetOf(image) {
    const number = Math.floor(image / data.columns ** 2);
    if (!sheets.has(number)) {
      const sheet = new Image();
      sheet.addEventListener("load", () => {
        drawSoon();
        if (current >= 0) {
          enlarge(lookedAt.querySelector("canvas"), current, 2);
        }
      });
      sheet.src = `data:image/jpeg;base64,${data.sheets[number]}`;
      sheets.set(number, sheet);
    }
    return sheets.get(number);
  }

  function drawThumbnail(target, image, x, y, factor) {
    const sheet = sheetOf(image);
    if (sheet.complete && sheet.naturalWidth) {
      const place = image % data.columns ** 2;
      const [width, height] = [sizes[2 * image], sizes[2 * image + 1]];
      const [left, top] = [(place % data.columns) * data.side, Math.floor(place / data.columns) * data.side];
      target.drawImage(sheet, left, top, width, height, x, y, width * factor, height * factor);
    }
  }

  function drawPicture(image, factor) {
    const [width, height] = [sizes[2 * image] * factor, sizes[2 * image + 1] * factor];
    const [x, y] = [screenX(image) - width / 2, screenY(image) - height / 2];
    context.globalAlpha = chosen.size && !chosen.has(image) ? 0.35 : 1;
    drawThumbnail(context, image, x, y, factor);
    context.lineWidth = 2;
    context.strokeStyle = data.palette[colors[image]];
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

  function enlarge(target, image, factor) {
    [target.width, target.height] = [sizes[2 * image] * factor, sizes[2 * image + 1] * factor];
    drawThumbnail(target.getContext("2d"), image, 0, 0, factor);
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
    const apart = new Float64Array(count);
    for (let one = 0; one < count; one += 1) {
      apart[one] = one === except ? Infinity : (screenX(one) - x) ** 2 + (screenY(one) - y) ** 2;
    }
    const best = [];
    for (let one = 0; one < count; one += 1) {
      if (apart[one] < Infinity && (best.length < most || apart[one] < apart[best.at(-1)])) {
        const at = best.findIndex((other) => apart[one] < apart[other]);
        best.splice(at < 0 ? best.length : at, 0, one);
        best.length = Math.min(best.length, most);
      }
    }
    return best;
  }

  function imageAt(x, y) {
    const [image] = nearest(x, y, 1);
    const reach = Number(canvas.dataset.pictures) ? data.side / 2 : NEAR_PX;
    return image !== undefined && Math.hypot(screenX(image) - x, screenY(image) - y) <= reach ? image : -1;
  }

  function hover(x, y) {
    const image = imageAt(x, y);
    hovered.hidden = image < 0;
    if (image >= 0) {
      enlarge(hovered.querySelector("canvas"), image, 2);
      hovered.querySelector("p").textContent = described(image);
      hovered.style.left = `${Math.min(x + 14, Math.max(canvas.clientWidth - 230, 0))}px`;
      hovered.style.top = `${Math.max(y - 60, 0)}px`;
    }
  }

  // ----- finding and choosing -----

  const described = (image) => `${readable(data.names[image])} (${readable(data.groups[colors[image]])})`;

  function choose(images) {
    chosen = new Set(images);
    first = 0;
    const words = chosen.size === 1 ? "1 image is chosen." : `${chosen.size || "No"} image${chosen.size ? "s are" : " is"} chosen.`;
    output.textContent = words;
    list();
    drawSoon();
  }

  function search() {
    const words = find.value.trim().toLowerCase();
    found = words ? byName.filter((image) => lowered[image].includes(words)) : null;
    first = 0;
    list();
  }

  // Crossings of a ray to the right, counted for every image (Shimrat 1962).
  function inside(corners) {
    return all.filter((image) => {
      const [x, y] = [screenX(image), screenY(image)];
      let odd = false;
      corners.forEach(([x1, y1], at) => {
        const [x2, y2] = corners[(at + 1) % corners.length];
        odd = y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1 ? !odd : odd;
      });
      return odd;
    });
  }

  function paths() {
    const lines = byName.filter((image) => chosen.has(image)).map((image) => `${data.folder}/${data.names[image]}`);
    const kept = lines.filter((line) => !/[\r\n]/.test(line));
    if (kept.length < lines.length) {
      output.textContent = `${lines.length - kept.length} names with a line break were left out.`;
    }
    return kept.map((line) => `${line}\n`).join("");
  }

  async function copy() {
    const text = paths();
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
    output.textContent = `Copied ${chosen.size} paths.`;
  }

  function save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([paths()], { type: "text/plain" }));
    link.download = "paths.txt";
    link.click();
    URL.revokeObjectURL(link.href);
  }

  // ----- the list -----

  function item(image) {
    const entry = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = described(image);
    button.dir = "auto";
    button.addEventListener("click", () => lookAt(image));
    entry.append(button);
    return entry;
  }

  function list() {
    let listed = byName;
    let what = "Images";
    if (chosen.size) {
      [listed, what] = [byName.filter((image) => chosen.has(image)), "Chosen images"];
    } else if (found) {
      [listed, what] = [found, "Images found"];
    }
    const last = Math.min(first + PER_PAGE, listed.length);
    const which = listed.length ? `${first + 1} to ${last} of ${listed.length}` : "none";
    root.querySelector(".listed").textContent = `${what}: ${which}`;
    root.querySelector(".list").replaceChildren(...listed.slice(first, last).map(item));
    root.querySelector("[data-do=before]").disabled = first === 0;
    root.querySelector("[data-do=after]").disabled = last >= listed.length;
  }

  function turn(by) {
    first = Math.max(first + by * PER_PAGE, 0);
    list();
    root.querySelector(".list button").focus();
  }

  function lookAt(image) {
    current = image;
    lookedAt.hidden = false;
    const heading = lookedAt.querySelector("h3");
    heading.textContent = described(image);
    enlarge(lookedAt.querySelector("canvas"), image, 2);
    const others = nearest(screenX(image), screenY(image), 10, image);
    lookedAt.querySelector("ol").replaceChildren(...others.map(item));
    move(screenX(image) - canvas.clientWidth / 2, screenY(image) - canvas.clientHeight / 2);
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
    copy,
    save,
    before: () => turn(-1),
    after: () => turn(1),
  };

  canvas.addEventListener("pointerdown", press);
  canvas.addEventListener("pointermove", moveTo);
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointerleave", () => (hovered.hidden = true));
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
})();
