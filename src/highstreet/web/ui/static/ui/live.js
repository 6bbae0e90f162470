// Live pages. <body data-stream="https://…/events?token=…"> names the stream; each of its messages is
//   id: 42 \n event: order.paid \n data: {"topics": ["order:ord_1"], …}
// An element with data-live="order:ord_1 store:3", hx-get and hx-trigger="live" fetches itself anew, and
// everybody else hears the document's "hs:event" (detail: the data). data-live="*" hears all.
// This is EventSource by hand: that one can neither hear events of any name nor send Last-Event-ID anew
// after an answer that ended it. While the stream is lost, the page asks every 20 s instead.
const SILENCE = 40000; // ms; the server says something every 15 s
const POLL = 20000;
const state = (name) => (document.documentElement.dataset.live = name);
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const topicsOf = (element) => element.dataset.live.split(/\s+/);
let last = "";
let abort;
let polled = 0;

export function refresh(topics) {
  for (const element of document.querySelectorAll("[data-live]")) {
    const wanted = topicsOf(element);
    if (topics.includes("*") || wanted.includes("*") || wanted.some((topic) => topics.includes(topic))) htmx.trigger(element, "live");
  }
}

function heard(block) {
  const field = (name) => block.filter((line) => line.startsWith(name + ":")).map((line) => line.slice(name.length + 1).trimStart()).join("\n");
  last = field("id") || last;
  const text = field("data");
  if (!text) return [];
  const data = { name: field("event"), ...JSON.parse(text) };
  document.dispatchEvent(new CustomEvent("hs:event", { detail: data }));
  return data.topics ?? [data.topic];
}

async function read(url) {
  abort = new AbortController();
  let quiet = setTimeout(() => abort.abort(), SILENCE);
  const answer = await fetch(url, { signal: abort.signal, cache: "no-store", headers: last ? { "Last-Event-ID": last } : {} });
  if (!answer.ok) return clearTimeout(quiet), answer.status;
  state("open");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 200;
      clearTimeout(quiet);
      quiet = setTimeout(() => abort.abort(), SILENCE);
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      // What comes together is fetched once.
      refresh([...new Set(blocks.flatMap((block) => heard(block.split(/\r?\n/))))]);
    }
  } finally {
    clearTimeout(quiet);
  }
}

async function follow(url) {
  for (let tries = 0; ; tries++) {
    const began = Date.now();
    const status = await read(url).catch(() => 0);
    state("lost");
    if (Date.now() - began > 10000) tries = 0;
    // Refused (the token has run out): the stream will not come back, so this goes on as a poll.
    const refused = status >= 400 && status < 500;
    if (Date.now() - polled > POLL && !document.hidden) polled = Date.now(), refresh(["*"]);
    // Half of it at random, so that a restarted server does not meet everybody at once.
    const pause = refused ? POLL : Math.min(POLL, 1000 * 2 ** tries);
    await wait(pause / 2 + Math.random() * pause / 2);
  }
}

const url = document.body.dataset.stream;
if (url?.includes("token=") && document.querySelector("[data-live], #board")) follow(url);
addEventListener("pagehide", () => abort?.abort());
