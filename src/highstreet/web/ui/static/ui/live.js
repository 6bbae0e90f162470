// Live pages. <body data-stream="/events?…"> names the stream; each message is
//   id: 42 \n event: change \n data: {"topic": "order:ord_1", …}
// An element with data-live="order:ord_1 store:3" and hx-get + hx-trigger="live" fetches itself anew, and
// everybody else hears the document's "hs:event". `event: reset` means: too much was missed, refresh all.
// The browser sends Last-Event-ID itself while it reconnects; a new EventSource must carry it in the address.
let source;
let last = "";
let tries = 0;
let timer = 0;

export function refresh(topic) {
  for (const element of document.querySelectorAll("[data-live]")) {
    const topics = element.dataset.live.split(/\s+/);
    if (topic === "*" || topics.includes(topic) || topics.includes("*")) htmx.trigger(element, "live");
  }
}

function heard(event) {
  last = event.lastEventId || last;
  let data;
  try { data = JSON.parse(event.data); } catch { return; }
  refresh(data.topic);
  document.dispatchEvent(new CustomEvent("hs:event", { detail: data }));
}

function connect() {
  clearTimeout(timer);
  source?.close();
  const url = new URL(document.body.dataset.stream, location.href);
  if (last) url.searchParams.set("last_event_id", last);
  source = new EventSource(url);
  source.onopen = () => {
    tries = 0;
    document.documentElement.dataset.stream = "open";
  };
  source.onmessage = heard;
  source.addEventListener("change", heard);
  source.addEventListener("reset", (event) => { last = event.lastEventId || last; refresh("*"); });
  source.onerror = () => {
    document.documentElement.dataset.stream = "lost";
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    // Half of it at random, so that a restarted server does not meet everybody at once.
    const wait = Math.min(30000, 1000 * 2 ** tries++);
    timer = setTimeout(connect, wait / 2 + Math.random() * wait / 2);
  };
}

const wake = () => source?.readyState === EventSource.CLOSED && document.visibilityState === "visible" && connect();
addEventListener("online", wake);
document.addEventListener("visibilitychange", wake);
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => event.persisted && connect());
connect();
