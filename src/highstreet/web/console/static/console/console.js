// Keeps the map's points fresh: asks anew when the city's stream says that something changed, and every 15 s.
// board.js draws what it hears as "hs:event"; positions come through the stream by themselves.
const board = document.getElementById("board");
const EVERY = 15000;
const LEAST = 4000;
let shown = new Set();
let asked = 0;
let waiting;

const tell = (detail) => document.dispatchEvent(new CustomEvent("hs:event", { detail }));

async function refresh() {
  asked = Date.now();
  const answer = await fetch(board.dataset.points, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return;
  const { points } = await answer.json();
  const now = new Set(points.map((point) => point.id));
  points.forEach((point) => tell({ point }));
  shown.forEach((id) => now.has(id) || tell({ gone: id }));
  shown = now;
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, Math.max(0, LEAST - (Date.now() - asked)));
}

document.addEventListener("hs:event", ({ detail }) => {
  if (detail.topics || detail.topic) if (detail.name !== "position") soon();
});
setInterval(() => document.hidden || refresh(), EVERY);
refresh();
