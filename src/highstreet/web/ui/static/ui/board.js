// The staff's live map on a Leaflet canvas. Its facts stand as a table beside it; this is only the picture.
//   <div id="board" class="board" data-roads="/…json" data-points="/…json" data-bounds="south,west,north,east" role="region" aria-label="…">
// roads: {"layers": [{"class": "major|minor|path|water|green|building", "lines": [[[lat, lon], …], …]}]}; one polyline a class.
// points: {"points": [{id, kind: store|courier|order, lat, lon, label, state: ok|warn|late|idle, href}]}
// Events (live.js): {name: "position", courier: <a point's id>, lat, lon}; detail.point = a new or changed point; detail.gone = an id.
const element = document.getElementById("board");
// Canvas knows no light-dark(): let the browser resolve each token on an element.
const probe = document.createElement("i");
function colour(token) {
  document.body.append(probe);
  probe.style.setProperty("color", `var(--${token})`);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

const ROADS = {
  major: { color: "surface", weight: 3.5 },
  minor: { color: "surface", weight: 2 },
  path: { color: "surface", weight: 1, opacity: 0.7 },
  water: { color: "info", weight: 1, fill: "info-soft" },
  green: { color: "brand-soft", weight: 0, fill: "brand-soft" },
  building: { color: "line", weight: 0, fill: "line" },
};
const STATES = { ok: "brand", warn: "warn", late: "bad", idle: "ink-3" };
const SIZES = { store: 9, courier: 7, order: 5 };

const map = L.map(element, { preferCanvas: true, zoomSnap: 0.5, keyboard: true, attributionControl: false });
L.control.attribution({ prefix: false }).addAttribution("© OpenStreetMap contributors").addTo(map);
const [south, west, north, east] = element.dataset.bounds.split(",").map(Number);
map.fitBounds([[south, west], [north, east]]);
// Beneath the markers' canvas (overlayPane, 400), whichever is drawn first.
map.createPane("streets").style.zIndex = 300;
const canvas = L.canvas({ padding: 0.3, pane: "streets" });
const markers = new Map();

function roads({ layers }) {
  for (const layer of layers) {
    const look = ROADS[layer.class] ?? ROADS.minor;
    const options = { renderer: canvas, pane: "streets", interactive: false, color: colour(look.color), weight: look.weight, opacity: look.opacity ?? 1 };
    if (look.fill) L.polygon(layer.lines, { ...options, fillColor: colour(look.fill), fillOpacity: 1 }).addTo(map).bringToBack();
    else L.polyline(layer.lines, { ...options, smoothFactor: 1.5 }).addTo(map);
  }
}

function place(point) {
  let marker = markers.get(point.id);
  const look = { radius: SIZES[point.kind] ?? 6, fillColor: colour(STATES[point.state] ?? "info"), color: colour("surface"), weight: 2, fillOpacity: 1 };
  if (!marker) {
    marker = L.circleMarker([point.lat, point.lon], { ...look }).addTo(map);
    // Labels may hold people's words: text, never HTML.
    marker.bindTooltip(document.createTextNode(""), { permanent: point.kind === "store", direction: "top" });
    marker.on("click", () => marker.href && location.assign(marker.href));
    markers.set(point.id, marker);
  }
  const label = document.createElement("span");
  label.textContent = point.label;
  marker.href = point.href;
  marker.setLatLng([point.lat, point.lon]).setStyle(look).setTooltipContent(label).bringToFront();
}

document.addEventListener("hs:event", ({ detail }) => {
  if (detail.point) place(detail.point);
  if (detail.name === "position") markers.get(detail.courier)?.setLatLng([detail.lat, detail.lon]);
  if (detail.gone) markers.get(detail.gone)?.remove(), markers.delete(detail.gone);
});
const load = (url) => fetch(url, { credentials: "same-origin" }).then((answer) => answer.json());
if (element.dataset.roads) load(element.dataset.roads).then(roads);
if (element.dataset.points) load(element.dataset.points).then(({ points }) => points.forEach(place));
