// Keeps the store's queue and the orders that were opened, so that a pick list opens again without a network.
// The network first, always; what is kept is only for when there is none, and signing out forgets it.
const KEPT = "store-1";
const MOST = 60;
const PAGE = /^\/store\/str_[0-9a-z]+\/(orders\/ful_[0-9a-z]+)?$/;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function keep(request, answer) {
  const cache = await caches.open(KEPT);
  await cache.put(request, answer);
  const keys = await cache.keys();
  await Promise.all(keys.slice(0, Math.max(0, keys.length - MOST)).map((key) => cache.delete(key)));
}

async function fetched(event) {
  try {
    const answer = await fetch(event.request);
    if (answer.ok && !answer.redirected) event.waitUntil(keep(event.request, answer.clone()));
    return answer;
  } catch (error) {
    const kept = await caches.match(event.request, { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== location.origin) return;
  if (url.pathname.startsWith("/accounts/")) event.waitUntil(caches.delete(KEPT));
  const asset = url.pathname.startsWith("/static/");
  const page = PAGE.test(url.pathname) && event.request.mode === "navigate";
  if (event.request.method === "GET" && (asset || page)) event.respondWith(fetched(event));
});
