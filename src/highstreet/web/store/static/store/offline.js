// Has the browser keep the queue and the pick lists for when there is no network.
const script = document.querySelector("script[data-worker]");
navigator.serviceWorker?.register(script.dataset.worker, { scope: "/store/" }).catch(() => {});
