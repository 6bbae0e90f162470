// Scanning. A scanner is a keyboard that types fast and ends in Enter, wherever the focus is.
//   <section data-scan="/url" data-say-right="{name}: {done} of {need}" data-say-wrong="Wrong item: scanned {got}, need {want}"
//            data-say-unknown="unknown code {code}" data-say-offline="…" id="pick">
//     <p data-scan-say role="alert"></p>  <button data-scan-camera>  <video data-scan-video hidden>
//     <li data-codes="692… 693…" data-name="Broccoli" data-place="A2-01" data-need="2" data-have="0">
// A right code POSTs code=… with an Idempotency-Key; the answer (a fragment with the section's id) is morphed in.
// Without a network the scan counts here, waits in localStorage and is replayed when the network is back.
import { csrf, say } from "./app.js";

const STORE = "hs:scans";
const GAP = 60; // ms between two keys; a hand is slower
const root = () => document.querySelector("[data-scan]");
const fill = (text, values) => (text ?? "").replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
let sound;

function beep(good) {
  sound ??= new AudioContext();
  const tone = sound.createOscillator();
  tone.frequency.value = good ? 1200 : 220;
  tone.type = good ? "sine" : "square";
  tone.connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + (good ? 0.08 : 0.4));
  if (!good) navigator.vibrate?.(300);
}

function tell(text, tone) {
  const line = root().querySelector("[data-scan-say]");
  if (!line) return say(text, tone);
  line.className = `scan-say ${tone}`;
  line.textContent = text;
}

const lines = () => [...root().querySelectorAll("[data-codes]")];
const open = (line) => Number(line.dataset.have || 0) < Number(line.dataset.need || 1);
const has = (line, code) => line.dataset.codes.split(/\s+/).includes(code);
const name = (line) => [line.dataset.place, line.dataset.name].filter(Boolean).join(" ");

export function scanned(code) {
  const words = root().dataset;
  const known = lines().filter((line) => has(line, code));
  const line = known.find(open);
  if (lines().length && !line) {
    const want = lines().find(open);
    const got = known[0]?.dataset.name ?? fill(words.sayUnknown, { code });
    beep(false);
    tell(fill(words.sayWrong, { got, want: want ? name(want) : "–" }), "bad");
    root().dispatchEvent(new CustomEvent("scan:wrong", { bubbles: true, detail: { code } }));
    return;
  }
  beep(true);
  if (line) {
    line.dataset.have = Number(line.dataset.have || 0) + 1;
    line.dataset.done = !open(line);
    const count = line.querySelector("[data-have-text]");
    if (count) count.textContent = line.dataset.have;
    tell(fill(words.sayRight, { name: line.dataset.name, done: line.dataset.have, need: line.dataset.need }), "ok");
  }
  queue([...queue(), { url: words.scan, code, key: crypto.randomUUID() }]);
  replay();
}

function queue(scans) {
  if (scans) localStorage.setItem(STORE, JSON.stringify(scans));
  return JSON.parse(localStorage.getItem(STORE) ?? "[]");
}

let sending = false;
async function replay() {
  if (sending) return;
  sending = true;
  try {
    for (let scan; (scan = queue()[0]); ) {
      const answer = await fetch(scan.url, {
        method: "POST",
        headers: { "X-CSRFToken": csrf(), "Idempotency-Key": scan.key, "HX-Request": "true" },
        body: new URLSearchParams({ code: scan.code }),
      });
      // 5xx: it may still be taken, so keep it and come back. 4xx: refused for good, the answer says why.
      if (answer.status >= 500) { setTimeout(replay, 5000); return; }
      queue(queue().filter((other) => other.key !== scan.key));
      const text = await answer.text();
      const waits = queue().some((other) => other.url === scan.url);
      if (/<html[\s>]/i.test(text)) {
        if (!answer.ok) beep(false), say(document.body.dataset.sayFailed, "bad");
      } else if (!waits && root()?.dataset.scan === scan.url && text.trim()) {
        if (!answer.ok) beep(false);
        await htmx.swap({ sourceElement: root(), target: root(), text, swap: "outerMorph" });
      }
    }
  } catch {
    if (root()) tell(fill(root().dataset.sayOffline, { count: queue().length }), "warn"); // no network: `online` comes back here
  } finally {
    sending = false;
  }
}
addEventListener("online", replay);
replay();

let typed = "";
let before = "";
let at = 0;
document.addEventListener("keydown", (event) => {
  if (!root() || event.ctrlKey || event.altKey || event.metaKey) return;
  const now = performance.now();
  const field = event.target.matches("input, textarea") ? event.target : null;
  if (now - at > GAP) typed = "", before = field?.value ?? "";
  at = now;
  if (event.key.length === 1) typed += event.key;
  else if (event.key === "Enter" && typed.length >= 4) {
    // Taken from whatever had the focus: no button pressed, no form sent, no letters left behind.
    event.preventDefault();
    event.stopImmediatePropagation();
    if (field) field.value = before;
    scanned(typed);
    typed = "";
  }
}, true);
document.addEventListener("submit", (event) => {
  const input = event.target.matches("[data-scan-form]") && event.target.querySelector("[name=code]");
  if (!input?.value) return;
  event.preventDefault();
  scanned(input.value.trim());
  input.value = "";
}, true);

async function camera(video) {
  const detector = new BarcodeDetector({ formats: ["ean_13", "ean_8", "code_128", "qr_code"] });
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  video.hidden = false;
  await video.play();
  let seen = "";
  const timer = setInterval(async () => {
    if (!video.isConnected) return clearInterval(timer);
    const [code] = await detector.detect(video);
    if (code && code.rawValue !== seen) scanned(code.rawValue);
    seen = code?.rawValue ?? ""; // the same code again only after it has left the picture
  }, 250);
}
const button = document.querySelector("[data-scan-camera]");
if (button) button.hidden = !("BarcodeDetector" in window && navigator.mediaDevices);
button?.addEventListener("click", () => camera(document.querySelector("[data-scan-video]")).catch(() => (button.hidden = true)));
