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

new MutationObserver(follow).observe(document.getElementById("main"), { subtree: true, attributes: true, attributeFilter: ["data-have"] });
