// A picture that is dropped or pasted anywhere on the page is searched for.
import { tell } from "./talk.js";

const form = document.getElementById("search");

function bring(files) {
  const picture = Array.from(files).find((file) => file.type.startsWith("image/"));
  if (picture) {
    const chosen = new DataTransfer();
    chosen.items.add(picture);
    form.elements.image.files = chosen.files;
    form.requestSubmit();
  }
  return Boolean(picture);
}

function refuse(files) {
  const [file] = files;
  const what = file ? `${file.name} is no picture` : "That was no file";
  tell(`${what}; drop a picture, such as a JPEG or PNG.`);
}

document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (!bring(event.dataTransfer.files)) {
    refuse(event.dataTransfer.files);
  }
});
document.addEventListener("paste", (event) => bring(event.clipboardData.files) && event.preventDefault());
document.getElementById("drop-hint").hidden = false;
