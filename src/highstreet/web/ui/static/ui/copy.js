// One tap copies what a button names with data-copy (an id). The button is hidden until this file runs: without it,
// or where the browser refuses, the text is there to be selected.
const holds = (id) => document.getElementById(id);

function select(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  const chosen = getSelection();
  chosen.removeAllRanges();
  chosen.addRange(range);
}

async function copy(button) {
  const node = holds(button.dataset.copy);
  const words = button.querySelector("span");
  const before = words.textContent;
  try {
    await navigator.clipboard.writeText(node.innerText.trim().replace(/\n+/g, "\n"));
    words.textContent = button.dataset.done;
  } catch {
    select(node);
    words.textContent = button.dataset.selected;
  }
  setTimeout(() => (words.textContent = before), 4000);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => words(button) && copy(button));
}

// A second tap while the words still say "copied" would keep them for good.
function words(button) {
  return ![button.dataset.done, button.dataset.selected].includes(button.querySelector("span").textContent);
}
