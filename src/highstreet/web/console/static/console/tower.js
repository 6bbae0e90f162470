// The tower's board: streets and orders on one canvas, couriers on another above it, drawn once a frame at most;
// and a list of all orders of which only what is in view exists. Its facts come as one JSON, positions by the stream.
// orders: [id, number, store, courier, state, lat, lon, promised, expected, flags (1 by hand, 2 packed, 4 at risk)], seconds from `at`.
const sky = document.getElementById("board");
const [ground, air] = sky.querySelectorAll("canvas");
const tip = sky.querySelector(".tip");
const list = document.getElementById("list");
const view = list.querySelector(".view");
const all = list.querySelector(".all");
const panel = document.getElementById("why");
const filters = document.getElementById("filters");
const say = sky.dataset;
const ROW = 44;
const LEAST = 5000;
const EVERY = 15000;
const TIGHT = 300;
const GATHER = 80;
const REST = 120;
const wide = matchMedia("(width >= 1024px)");

let city = { at: 0, offset: 0, states: [], stores: [], couriers: [], orders: [] };
let shown = [];
let rider = new Map();
let streets = [];
let colours = {};
let eye = { lat: 0, lon: 0, k: 1 };
let laid = eye;
let size = [0, 0];
let dots = [];
const paved = document.createElement("canvas");
let streetsDue = true;
let groundDue = true;
let airDue = true;
let frame = 0;

// -- colours, projection ------------------------------------------------------------------------------------------
function palette() {
  const probe = document.createElement("i");
  document.body.append(probe);
  for (const token of ["surface", "surface-2", "ink", "ink-3", "brand", "warn", "bad", "info", "info-soft", "brand-soft", "line"]) {
    probe.style.setProperty("color", `var(--${token})`);
    colours[token] = getComputedStyle(probe).color;
  }
  probe.remove();
  dots = [stamp("ink-3"), stamp("brand")];
}
const squeeze = () => Math.cos((eye.lat * Math.PI) / 180);
const px = (lon) => size[0] / 2 + (lon - eye.lon) * eye.k * squeeze();
const py = (lat) => size[1] / 2 - (lat - eye.lat) * eye.k;

function measure() {
  const ratio = Math.min(devicePixelRatio || 1, 2);
  size = [sky.clientWidth, sky.clientHeight];
  for (const canvas of [ground, air]) {
    canvas.width = size[0] * ratio;
    canvas.height = size[1] * ratio;
    canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
  }
  due("streets");
}

function fit() {
  const [south, west, north, east] = say.bounds.split(",").map(Number);
  eye = { lat: (south + north) / 2, lon: (west + east) / 2, k: 1 };
  eye.k = Math.min(size[1] / (north - south), size[0] / ((east - west) * squeeze()));
}

// -- drawing ------------------------------------------------------------------------------------------------------
function due(what) {
  streetsDue ||= what === "streets";
  groundDue ||= what !== "air";
  airDue = true;
  frame ||= requestAnimationFrame(draw);
}
// Many positions, one drawing.
let flown = 0;
function fly() {
  flown ||= setTimeout(() => ((flown = 0), due("air")), GATHER);
}

function draw() {
  frame = 0;
  if (streetsDue) drawStreets();
  if (groundDue) drawGround();
  if (airDue) drawAir();
  streetsDue = groundDue = airDue = false;
}

const ROADS = { water: ["info-soft", 0], green: ["brand-soft", 0], path: ["surface", 1], minor: ["surface", 1.5], major: ["surface", 3] };

// Streets stay as they are until the map has been moved.
function drawStreets() {
  const ratio = ground.width / size[0] || 1;
  laid = { ...eye };
  paved.width = ground.width;
  paved.height = ground.height;
  const pen = paved.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  for (const { class: kind, lines } of streets) {
    const [token, width] = ROADS[kind] ?? ROADS.minor;
    pen.beginPath();
    for (const line of lines) line.forEach(([lat, lon], at) => (at ? pen.lineTo(px(lon), py(lat)) : pen.moveTo(px(lon), py(lat))));
    if (width) (pen.strokeStyle = colours[token]), (pen.lineWidth = width), pen.stroke();
    else (pen.fillStyle = colours[token]), pen.fill();
  }
}

function drawGround() {
  const pen = ground.getContext("2d");
  pen.clearRect(0, 0, ...size);
  // While the map is moved, its last picture is moved along.
  const by = eye.k / laid.k;
  if (paved.width) pen.drawImage(paved, px(laid.lon) - (size[0] / 2) * by, py(laid.lat) - (size[1] / 2) * by, size[0] * by, size[1] * by);
  // What needs a hand is drawn last, so that it is on top.
  for (const [risk, token] of [[0, "brand"], [1, "warn"], [2, "bad"]]) {
    pen.fillStyle = colours[token];
    for (const order of shown) if (riskOf(order) === risk) pen.fillRect(px(order[6]) - 2.5, py(order[5]) - 2.5, 5, 5);
  }
  pen.fillStyle = colours.surface;
  pen.strokeStyle = colours.ink;
  pen.lineWidth = 3;
  for (const [, , lat, lon] of city.stores) {
    pen.beginPath();
    pen.arc(px(lon), py(lat), 6, 0, 7);
    pen.fill();
    pen.stroke();
  }
}

function drawAir() {
  const pen = air.getContext("2d");
  pen.clearRect(0, 0, ...size);
  for (const busy of [false, true]) {
    const dot = dots[busy ? 1 : 0];
    for (const [, , lat, lon, hand] of city.couriers) {
      if (lat === null || hand > 0 !== busy) continue;
      const x = px(lon), y = py(lat);
      if (x > -8 && y > -8 && x < size[0] + 8 && y < size[1] + 8) pen.drawImage(dot, x - 6, y - 6, 12, 12);
    }
  }
}

// A courier's dot is drawn once and copied.
function stamp(token) {
  const dot = document.createElement("canvas");
  dot.width = dot.height = 24;
  const pen = dot.getContext("2d");
  pen.arc(12, 12, 9, 0, 6.2832);
  pen.fillStyle = colours[token];
  pen.fill();
  pen.strokeStyle = colours.surface;
  pen.lineWidth = 2;
  pen.stroke();
  return dot;
}

// -- facts --------------------------------------------------------------------------------------------------------
// Time goes on between two readings.
const gone = () => Math.round((performance.now() - city.read) / 1000) || 0;
function riskOf(order) {
  if (order[7] < gone()) return 2;
  return order[9] & 4 || order[7] - Math.max(order[8], gone()) < TIGHT ? 1 : 0;
}
const fill = (text, n) => text.replace("{n}", n);
function left(order) {
  const slack = order[7] - Math.max(order[8], gone());
  const minutes = slack < 0 ? Math.ceil(-slack / 60) : Math.floor(slack / 60);
  return fill(order[7] < gone() ? say.late : slack < 0 ? say.will : say.left, minutes);
}
// The order's public identifier, as kernel/ids.py writes it.
const LETTERS = "0123456789abcdefghjkmnpqrstvwxyz";
function address([hex, , , , state]) {
  let number = BigInt(`0x${hex}`), text = "";
  for (let at = 0; at < 26; at++, number >>= 5n) text = LETTERS[Number(number & 31n)] + text;
  // What no store has accepted has no delivery to decide about.
  return (state ? say.order : say.plain) + text;
}
const clock = (seconds) => new Date((city.at + city.offset + seconds) * 1000).toISOString().slice(11, 16);

function count(name, value) {
  const place = document.querySelector(`[data-count="${name}"]`);
  if (place) place.textContent = value;
}

function choose() {
  const store = filters.store.value, show = filters.show.value;
  const at = store ? city.stores.findIndex((one) => one[0] === store) : -1;
  const fits = { risk: (one) => riskOf(one) > 0, late: (one) => riskOf(one) === 2, waiting: (one) => one[3] < 0, pinned: (one) => one[9] & 1 };
  const wanted = fits[show];
  shown = city.orders.filter((one) => (!store || one[2] === at) && (!wanted || wanted(one)));
  const says = document.getElementById("shown");
  const text = fill(says.dataset.says, shown.length);
  if (says.textContent !== text) says.textContent = text;
  list.setAttribute("aria-rowcount", shown.length + 1);
  all.style.height = `${shown.length * ROW}px`;
  rows();
  due("orders");
}

function take(found) {
  city = { ...found, read: performance.now() };
  rider = new Map(city.couriers.map((one, at) => [one[0], at]));
  const risks = [0, 0, 0];
  for (const one of city.orders) risks[riskOf(one)]++;
  const riding = city.couriers.filter((one) => one[4] > 0).length;
  count("late", risks[2]);
  count("risk", risks[1]);
  count("waiting", city.orders.filter((one) => one[3] < 0).length);
  count("orders", city.orders.length);
  count("riding", riding);
  count("free", city.couriers.length - riding);
  choose();
}

let asked = 0;
let waiting;
async function refresh() {
  asked = Date.now();
  const answer = await fetch(say.url, { credentials: "same-origin" }).catch(() => null);
  if (answer?.ok) take(await answer.json());
}
function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, Math.max(0, LEAST - (Date.now() - asked)));
}

// -- the list -----------------------------------------------------------------------------------------------------
const pool = [];
const TONES = ["ok", "warn", "late"];

function line() {
  const row = document.createElement("div");
  row.className = "line";
  row.setAttribute("role", "row");
  for (let at = 0; at < 7; at++) {
    const cell = row.appendChild(document.createElement("span"));
    cell.setAttribute("role", "cell");
  }
  row.children[0].append(document.createElement("a"));
  row.children[1].append(document.createElement("span"));
  return all.appendChild(row);
}

// Rows are kept with their order while they stay in view, so that focus and pointer do too.
function rows() {
  const first = Math.max(0, Math.floor(view.scrollTop / ROW) - 4);
  const last = Math.min(shown.length, Math.ceil((view.scrollTop + view.clientHeight) / ROW) + 4);
  const wanted = new Map(shown.slice(first, last).map((order, at) => [order[0], [order, first + at]]));
  const free = pool.filter((row) => !wanted.has(row.dataset.code));
  const kept = new Map(pool.filter((row) => wanted.has(row.dataset.code)).map((row) => [row.dataset.code, row]));
  for (const [code, [order, at]] of wanted) {
    let row = kept.get(code) ?? free.pop();
    if (!row) pool.push((row = line()));
    write(row, order, at);
  }
  for (const row of free) row.hidden = true, delete row.dataset.code;
  let none = all.querySelector(".none");
  if (!shown.length && city.at && !none) (none = all.appendChild(document.createElement("p"))).className = "none", (none.textContent = list.dataset.empty);
  else if (shown.length) none?.remove();
}

function write(row, order, at) {
  const [code, number, store, courier, state, , , promised, expected, flags] = order;
  row.hidden = false;
  row.dataset.code = code;
  row.style.transform = `translateY(${at * ROW}px)`;
  row.setAttribute("aria-rowindex", at + 2);
  const link = row.children[0].firstChild, badge = row.children[1].firstChild;
  link.href = address(order);
  link.textContent = number;
  badge.className = `badge ${TONES[riskOf(order)]}`;
  badge.textContent = left(order);
  const texts = [city.states[state] + (flags & 1 ? ` · ${say.pinned}` : ""), clock(promised), clock(Math.max(expected, gone())), city.stores[store]?.[1] ?? "–", city.couriers[courier]?.[1] ?? "–"];
  texts.forEach((text, number) => (row.children[number + 2].textContent = text));
}

async function open(order, from) {
  const answer = order[4] ? await fetch(`${address(order)}?part=why`, { credentials: "same-origin" }).catch(() => null) : null;
  if (!answer?.ok) return location.assign(address(order));
  panel.innerHTML = await answer.text();
  panel.hidden = false;
  panel.focus({ preventScroll: true });
  panel.scrollIntoView({ block: "nearest" });
  panel.querySelector("[data-shut]")?.addEventListener("click", (event) => {
    event.preventDefault();
    panel.hidden = true;
    (from?.isConnected && !from.closest(".line")?.hidden ? from : view).focus();
  });
}

view.addEventListener("scroll", () => requestAnimationFrame(rows), { passive: true });
all.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || !wide.matches || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const order = shown.find(([id]) => id === link.closest(".line").dataset.code);
  if (order) open(order, link);
});
filters.addEventListener("change", (event) => (event.target.id === "city" ? filters.submit() : choose()));
filters.addEventListener("submit", (event) => (event.preventDefault(), choose()));

// -- the map under the hand ---------------------------------------------------------------------------------------
let resting;
function move() {
  due("orders");
  clearTimeout(resting);
  resting = setTimeout(() => due("streets"), REST);
}
function zoom(by, x = size[0] / 2, y = size[1] / 2) {
  const lon = eye.lon + (x - size[0] / 2) / (eye.k * squeeze()), lat = eye.lat - (y - size[1] / 2) / eye.k;
  eye.k = Math.min(Math.max(eye.k * by, 500), 2e6);
  eye.lon = lon - (x - size[0] / 2) / (eye.k * squeeze());
  eye.lat = lat + (y - size[1] / 2) / eye.k;
  move();
}
function pan(x, y) {
  eye.lon -= x / (eye.k * squeeze());
  eye.lat += y / eye.k;
  move();
}
function nearest(x, y) {
  let best = null, least = 144;
  const look = (kind, one, lat, lon) => {
    if (lat === null) return;
    const away = (px(lon) - x) ** 2 + (py(lat) - y) ** 2;
    if (away < least) (least = away), (best = [kind, one]);
  };
  for (const one of shown) look("order", one, one[5], one[6]);
  for (const one of city.couriers) look("courier", one, one[2], one[3]);
  for (const one of city.stores) look("store", one, one[2], one[3]);
  return best;
}
const words = ([kind, one]) => (kind === "order" ? `${one[1]} · ${city.states[one[4]]} · ${left(one)}` : kind === "courier" ? `${one[1]}: ${fill(say.hand, one[4])}` : one[1]);

const hands = new Map();
let moved = 0;
sky.addEventListener("pointerdown", (event) => {
  if (event.target.closest("button")) return;
  hands.set(event.pointerId, [event.offsetX, event.offsetY]);
  sky.setPointerCapture(event.pointerId);
  moved = 0;
});
sky.addEventListener("pointermove", (event) => {
  const x = event.clientX - sky.getBoundingClientRect().left, y = event.clientY - sky.getBoundingClientRect().top;
  const was = hands.get(event.pointerId);
  if (!was) {
    const found = nearest(x, y);
    tip.hidden = !found;
    if (found) (tip.textContent = words(found)), (tip.style.transform = `translate(${Math.min(x + 12, Math.max(0, size[0] - 240))}px, ${Math.min(y + 12, size[1] - 40)}px)`);
    return;
  }
  moved += Math.abs(x - was[0]) + Math.abs(y - was[1]);
  sky.classList.add("held");
  if (hands.size === 1) pan(x - was[0], y - was[1]);
  else {
    const other = [...hands].find(([id]) => id !== event.pointerId)[1];
    const apart = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 1;
    zoom(apart([x, y]) / apart(was), other[0], other[1]);
  }
  hands.set(event.pointerId, [x, y]);
});
for (const end of ["pointerup", "pointercancel"])
  sky.addEventListener(end, (event) => {
    const was = hands.get(event.pointerId);
    hands.delete(event.pointerId);
    sky.classList.remove("held");
    const found = was && moved < 6 && end === "pointerup" ? nearest(...was) : null;
    if (found?.[0] === "order") wide.matches ? open(found[1], sky) : location.assign(address(found[1]));
    if (found?.[0] === "store") (filters.store.value = found[1][0]), choose();
  });
sky.addEventListener("wheel", (event) => (event.preventDefault(), zoom(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY)), { passive: false });
sky.addEventListener("keydown", ({ key, target }) => {
  if (target !== sky) return;
  const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[key];
  if (step) pan(...step);
  else if (key === "+" || key === "=") zoom(1.5);
  else if (key === "-") zoom(0.667);
});
sky.querySelectorAll("[data-zoom]").forEach((button) => button.addEventListener("click", () => zoom(Number(button.dataset.zoom))));

// -- what the city tells ------------------------------------------------------------------------------------------
document.addEventListener("hs:event", ({ detail }) => {
  if (detail.name === "position") {
    const one = city.couriers[rider.get(detail.courier)];
    if (one) (one[2] = detail.lat), (one[3] = detail.lon), fly();
    else soon();
  } else if (detail.topics || detail.topic) soon();
});
setInterval(() => document.hidden || (Date.now() - asked > EVERY - 100 && refresh()), EVERY);
new ResizeObserver(measure).observe(sky);
const looks = () => (palette(), due("streets"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", looks);
new MutationObserver(looks).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "class"] });

palette();
measure();
fit();
list.hidden = false;
document.querySelector(".plain-list").open = false;
refresh();
fetch(say.roads, { credentials: "same-origin" }).then((answer) => answer.json()).then(({ layers }) => ((streets = layers), due("streets")));
