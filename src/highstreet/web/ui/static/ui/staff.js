// Staff keys. Rows are links (a.row-link), so Enter opens by itself; `e` presses the row's [data-done] button.
const typing = (node) => node.matches("input, textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll("a.row-link, [data-row]")].filter((row) => row.checkVisibility());

function show(id) {
  const dialog = document.getElementById(id);
  if (!dialog || dialog.open) return;
  dialog.showModal();
  dialog.querySelector("input")?.focus();
}

function move(step) {
  const all = rows();
  const now = document.activeElement;
  const here = all.findIndex((row) => row === now || row.closest("tr, li, article")?.contains(now));
  const next = all[Math.min(all.length - 1, Math.max(0, here + step))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function done() {
  const row = document.activeElement.closest("tr, li, article");
  (row?.querySelector("[data-done-button]") ?? document.querySelector("[data-done-button].main"))?.click();
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return show("jump");
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  const act = {
    "/": () => (document.querySelector("[type=search]:not(dialog *)") ?? { focus: () => show("jump") }).focus(),
    "?": () => show("keys"),
    j: () => move(1),
    k: () => move(-1),
    e: done,
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
