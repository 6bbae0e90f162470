// The "next item" follows the scans that scan.js counts here, also while there is no network to ask.
const pick = () => document.getElementById("pick");

function follow() {
  const card = pick()?.querySelector("[data-next]");
  if (!card) return;
  const row = [...pick().querySelectorAll("[data-codes]")].find((one) => Number(one.dataset.have) < Number(one.dataset.need));
  if (!row) return void (card.hidden = true);
  const put = (name, text) => {
    const node = card.querySelector(`[data-next-${name}]`);
    if (node.textContent !== text) node.textContent = text;
  };
  put("place", row.dataset.place || "–");
  put("name", row.dataset.name);
  put("unit", row.dataset.unit);
  put("left", String(row.dataset.need - row.dataset.have));
  const picture = card.querySelector("img");
  if (picture && !picture.src.includes(`/${row.dataset.art}.`)) picture.src = picture.src.replace(/[^/]+$/, `${row.dataset.art}.webp`);
  card.querySelector("[data-next-short]").href = row.querySelector("a")?.href ?? "#pick";
}

// A list that was opened again without a network does not know of the scans that still wait here: count them.
function recount() {
  for (const scan of JSON.parse(localStorage.getItem("hs:scans") ?? "[]")) {
    if (scan.url !== pick()?.dataset.scan) continue;
    const row = [...pick().querySelectorAll("[data-codes]")].find((one) =>
      one.dataset.codes.split(/\s+/).includes(scan.code) && Number(one.dataset.have) < Number(one.dataset.need));
    if (!row) continue;
    row.dataset.have = Number(row.dataset.have) + 1;
    row.dataset.done = Number(row.dataset.have) >= Number(row.dataset.need);
    row.querySelector("[data-have-text]").textContent = row.dataset.have;
  }
}
new MutationObserver(follow).observe(document.getElementById("main"), { subtree: true, attributes: true, attributeFilter: ["data-have"] });
if (!navigator.onLine) recount();
