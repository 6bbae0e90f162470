// The courier's phone: the position while on shift, a smaller photo, and no refresh under a half-typed code.
const csrf = () => document.querySelector("meta[name=csrf]")?.content ?? "";
const EVERY = 5000; // ms between two reports
const SIDE = 1280; // px of the photo's longer side
const MOST = 190000; // bytes; the server keeps 200,000
const now = () => document.getElementById("now");
let forbidden = false;
let here;

async function report() {
  const url = now()?.dataset.position;
  if (!url || !here) return;
  const { latitude, longitude } = here.coords;
  const answer = await fetch(url, { method: "POST", headers: { "X-CSRFToken": csrf() },
    body: new URLSearchParams({ lat: latitude, lon: longitude }) }).catch(() => null);
  if (answer?.status === 409) watch.stop(); // off shift: nothing more is sent
}

const watch = {
  id: 0,
  timer: 0,
  start() {
    if (this.id || !("geolocation" in navigator)) return;
    this.id = navigator.geolocation.watchPosition((position) => {
      here = position;
      forbidden = false;
    }, () => {
      forbidden = true;
      tell();
    }, { enableHighAccuracy: true, maximumAge: EVERY });
    this.timer = setInterval(report, EVERY);
  },
  stop() {
    if (this.id) navigator.geolocation.clearWatch(this.id);
    clearInterval(this.timer);
    this.id = 0;
    here = undefined;
  },
};
function tell() {
  const line = document.getElementById("where");
  if (line && forbidden) line.textContent = line.dataset.sayNoPosition;
}
const follow = () => (now()?.dataset.position ? watch.start() : watch.stop(), tell());
follow();
document.body.addEventListener("htmx:after:swap", follow);

// A refresh must not take a code that is being typed, nor close the photo's box.
document.body.addEventListener("htmx:before:request", (event) => {
  const busy = document.getElementById("proof")?.value || document.getElementById("photo-box")?.open;
  if (event.detail.ctx.sourceElement.id === "now" && busy) event.preventDefault();
});

async function smaller(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  for (let quality = 0.8; ; quality -= 0.15) {
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
    if (blob.size <= MOST || quality < 0.2) return new File([blob], "door.jpg", { type: "image/jpeg" });
  }
}
document.addEventListener("change", async (event) => {
  const input = event.target;
  if (!input.closest?.("[data-photo]") || input.type !== "file" || !input.files[0] || input.files[0].size <= MOST) return;
  const button = input.form.querySelector("button");
  button.setAttribute("aria-busy", "true");
  const files = new DataTransfer();
  files.items.add(await smaller(input.files[0]).catch(() => input.files[0]));
  input.files = files.files;
  button.removeAttribute("aria-busy");
});
