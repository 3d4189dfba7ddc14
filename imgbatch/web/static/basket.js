// Copies the paths of the basket; without it they can be selected.
const button = document.getElementById("copy-paths");
const paths = document.getElementById("paths");

button?.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(paths.value);
    document.getElementById("told").textContent = "The paths are copied.";
  } catch {
    paths.select();
    document.getElementById("told").textContent = "The paths are selected; copy them with the keys of your system.";
  }
});
if (button) {
  button.hidden = false;
}
