// What every page does beyond plain HTML. Everything here is a comfort: without it, forms post and links lead on.
const body = document.body;
const find = (id) => id && document.getElementById(id);
export const csrf = () => document.querySelector("meta[name=csrf]")?.content ?? "";

// Toasts: gone after 6 s, unless they are bad news, focused or pointed at.
function age(toast) {
  if (toast.classList.contains("bad")) return;
  const timer = setInterval(() => {
    if (toast.matches(":hover, :focus-within")) return;
    clearInterval(timer);
    toast.remove();
  }, 6000);
}

export function say(text, tone = "") {
  const toast = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  toast.querySelector(".text").textContent = text;
  if (tone) toast.classList.add(tone);
  find("toasts").append(toast);
  age(toast);
}
document.querySelectorAll("[data-toast]").forEach(age);
// The server may send HX-Trigger: {"say": {"text": "…", "tone": "bad"}}.
body.addEventListener("say", (event) => say(event.detail.text ?? event.detail.value, event.detail.tone));

// Requests carry the CSRF token, and one click is one request: aria-disabled keeps the focus where disabled would drop it.
const busy = new Map();
function start(key, button) {
  if (!button || busy.has(key)) return;
  busy.set(key, button);
  button.setAttribute("aria-busy", "true");
}
function stop(key) {
  busy.get(key)?.removeAttribute("aria-busy");
  busy.delete(key);
}
const pressed = (event) => event.target.closest?.("button, a.btn, [type=submit]");
document.addEventListener("click", (event) => {
  if (pressed(event)?.matches("[aria-disabled=true], [aria-busy=true]")) event.preventDefault(), event.stopImmediatePropagation();
}, true);
document.addEventListener("submit", (event) => {
  if (event.target.method === "dialog" || event.defaultPrevented) return;
  if (event.submitter?.matches("[aria-busy=true]")) return event.preventDefault();
  setTimeout(() => event.defaultPrevented || start(event.target, event.submitter));
});
addEventListener("pageshow", () => [...busy.keys()].forEach(stop));

body.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.request.method !== "GET") ctx.request.headers["X-CSRFToken"] = csrf();
});
body.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  start(ctx, ctx.request.submitter ?? (ctx.sourceElement.matches("button, a.btn") ? ctx.sourceElement : null));
});
body.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => stop(ctx));

// A 4xx that is a fragment (a form with its errors, a changed cart) is swapped in like any answer.
// A whole error page must not land inside this one: its heading becomes a toast. 5xx never swaps (config noSwap).
body.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  const page = /<html[\s>]/i.test(ctx.text);
  if (!page && ctx.response.status < 500) return;
  ctx.hx.reswap = "none";
  const heading = page && new DOMParser().parseFromString(ctx.text, "text/html").querySelector("h1")?.textContent;
  say(heading || body.dataset.sayFailed, "bad");
  ctx.text = "";
});
body.addEventListener("htmx:error", ({ detail }) => detail.ctx && say(body.dataset.saySlow, "bad"));

// Focus survives a swap: the same id, else what the answer marks data-focus, else the nearest ancestor left.
let held = null;
body.addEventListener("htmx:before:swap", () => {
  const chain = [];
  for (let node = document.activeElement; node && node !== body; node = node.parentElement) if (node.id) chain.push(node.id);
  held = { chain, had: document.activeElement !== body };
});
body.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const summary = ctx.response?.status === 422 && document.querySelector("[data-focus]");
  if (!summary && (!held?.had || (document.activeElement && document.activeElement !== body))) return;
  const target = summary || held.chain.map(find).find((node) => node?.checkVisibility()) || find("main");
  if (!target) return;
  if (!target.matches("a[href], button, input, select, textarea, summary, [tabindex]")) target.tabIndex = -1;
  target.focus({ preventScroll: !summary });
});
document.querySelector("#form-errors[data-focus]")?.focus();

document.addEventListener("click", (event) => {
  const on = (selector) => event.target.closest?.(selector);
  if (on("[data-close]")) on("[data-toast]")?.remove();
  const opener = on("[data-open]");
  if (opener) {
    const dialog = find(opener.dataset.open);
    if (dialog && !dialog.open) event.preventDefault(), dialog.showModal();
  }
  if (event.target.matches?.("dialog")) event.target.close(); // the backdrop
  if (on("[data-print]")) print();
  if (on("[data-theme-toggle]")) {
    const dark = (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    document.cookie = `theme=${dark ? "light" : "dark"};path=/;max-age=31536000;samesite=lax`;
  }
});
// A form that acts on change (a preference, a filter) keeps its button for those without JavaScript.
document.addEventListener("change", (event) => event.target.closest("form[data-auto]")?.requestSubmit());

const connection = () => (find("offline").hidden = navigator.onLine);
addEventListener("online", connection);
addEventListener("offline", connection);
connection();
