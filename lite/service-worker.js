// The site's one service worker: the site without a network, and the student's drive for Python.
//
// The build puts Workbox before this text, and `BUILD`, `FILES` and `DATA`: an id, and for every
// file of the site and of its data [path, sha256 in base64, bytes]. One cache holds the files of all
// builds, each under its address and hash, so that a new build fetches only what it changed. What a
// build is and which pages belong to it is kept beside it: the browser stops a worker at any time.
//
//   first visit   the worker takes over at once, for the drive; the site still comes from the
//                 network, and the cache fills while the reader reads
//   complete      everything comes from the cache
//   new build     its worker fetches what changed before it takes over; pages that are open go on
//                 getting the files of their own build, whose last page takes them along
const { PrecacheController, PrecacheRoute } = workbox.precaching;
const { registerRoute } = workbox.routing;

const ROOT = new URL("./", location.href).href;
const SITE = `tinytorch ${new URL(ROOT).pathname}`; // an origin may hold other sites, or this one twice
const BUILDS = `${SITE} builds`;
const KEPT = `${SITE} files`;
const KEPT_DATA = "tinytorch-data"; // tinytorch/data/files.py puts files there too
const DATA_FOLDER = `${ROOT}lite/static/data/`;
const PYTHON = `${ROOT}lite/static/pyodide/`;
const AT_ONCE = 3;

// Builds: which files they have, whether all are here, and which open pages came with them.

function asBuild({ id, files, complete = false, clients = [] }) {
  const controller = new PrecacheController({ cacheName: KEPT });
  controller.strategy.matchOptions = { ignoreVary: true };
  const entry = ([path, hash]) => ({ url: ROOT + path, revision: hash, integrity: `sha256-${hash}` });
  controller.addToCacheList(files.map(entry));
  const route = new PrecacheRoute(controller, { ignoreURLParametersMatching: [/./] });
  return { id, files, complete, clients: new Set(clients), controller, route };
}

const own = asBuild({ id: BUILD, files: FILES });

async function remember(build) {
  const { id, files, complete, clients } = build;
  const record = JSON.stringify({ id, files, complete, clients: [...clients] });
  await (await caches.open(BUILDS)).put(ROOT + id, new Response(record));
}

let recorded = false;
async function recall() {
  const found = new Map([[own.id, own]]);
  try {
    const cache = await caches.open(BUILDS);
    for (const key of await cache.keys()) {
      const record = await (await cache.match(key)).json();
      if (record.id !== own.id) found.set(record.id, asBuild(record));
      else [recorded, own.complete] = [true, record.complete];
    }
    // The record can be behind: written last, it is what a browser that ends has not written.
    own.complete ||= (await missing()).length === 0;
  } catch (error) {
    console.warn("what is kept cannot be read:", error);
  }
  return found;
}

const builds = recall();

async function buildOf(clientId) {
  for (const build of (await builds).values()) {
    if (build !== own && build.clients.has(clientId)) return build;
  }
  return own;
}

// Files that no build on this machine needs any more, and data that is no longer the site's.
async function sweep() {
  const known = await builds;
  if (self.registration.installing) return true; // a newer build is bringing its files
  const open = await self.clients.matchAll({ includeUncontrolled: true, type: "all" });
  const used = (build) => build === own || open.some(({ id }) => build.clients.has(id));
  const over = [...known.values()].filter((build) => !used(build));
  for (const { id } of over) known.delete(id);
  const keys = [...known.values()].map((b) => [...b.controller.getURLsToCacheKeys().values()]);
  const needed = new Set(keys.flat());
  const cache = await caches.open(KEPT);
  for (const { url } of await cache.keys()) if (!needed.has(url)) await cache.delete(url);
  // Last: a worker that is stopped before this has something to sweep the next time.
  for (const { id } of over) await (await caches.open(BUILDS)).delete(ROOT + id);
  const data = await caches.open(KEPT_DATA);
  for (const { url } of await data.keys()) {
    if (!url.startsWith(DATA_FOLDER)) continue;
    const now = DATA.find(([path]) => ROOT + path === url);
    const hash = now && (await sha256(await (await data.match(url)).arrayBuffer()));
    if (!now || hash !== now[1]) await data.delete(url);
  }
  return known.size > 1;
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return btoa(String.fromCharCode(...digest));
}

// Filling the cache

// The student's work comes first: so much of what the browser grants stays free for it.
const FOR_WORK = 50e6;
async function checkRoom(bytes) {
  const { quota, usage } = (await navigator.storage?.estimate?.()) ?? {};
  if (quota === undefined || quota - usage - FOR_WORK >= bytes) return;
  throw new DOMException("the browser grants the site too little room", "QuotaExceededError");
}

const coming = new Map(); // cache key -> its file on the way to the cache
let filling = null;
let left = null; // bytes that the cache still lacks, once they were counted
let trouble = "";

// Put a file of this build into the cache, if it is that file to the last bit.
async function keep(url, event, cache) {
  const cacheKey = own.controller.getCacheKeyForURL(url);
  const integrity = own.controller.getIntegrityForCacheKey(cacheKey);
  const request = new Request(url, { integrity, cache });
  const params = { cacheKey, integrity };
  const [response, done] = own.controller.strategy.handleAll({ request, event, params });
  coming.set(cacheKey, done);
  try {
    const [{ ok, status }] = await Promise.all([response, done]);
    if (!ok) throw new Error(`${url} is answered with ${status}`);
  } finally {
    coming.delete(cacheKey);
  }
}

// Only a browser that is at rest is asked to fetch: a notebook that starts comes first.
let busyUntil = 0;
new BroadcastChannel("tinytorch-boot").addEventListener("message", ({ data }) => {
  busyUntil = data.step === "ready" || data.state === "failed" ? 0 : Date.now() + 20_000;
});
const bytesOf = (files) => files.reduce((sum, file) => sum + file[2], 0);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function missing() {
  const cache = await caches.open(KEPT);
  const here = new Set((await cache.keys()).map(({ url }) => url));
  return FILES.filter(([path]) => !here.has(own.controller.getCacheKeyForURL(ROOT + path)));
}

async function fetchMissing(event, patient) {
  const todo = await missing();
  left = bytesOf(todo);
  await checkRoom(left);
  // A newer build takes over only when this worker has nothing left to do.
  const superseded = () => patient && (self.registration.installing || self.registration.waiting);
  async function next() {
    for (let file; !superseded() && (file = todo.shift()); ) {
      while (patient && Date.now() < busyUntil) await pause(500);
      const url = ROOT + file[0];
      const key = own.controller.getCacheKeyForURL(url);
      if (coming.has(key)) await coming.get(key).catch(() => {});
      try {
        await keep(url, event, "no-cache");
      } catch (error) {
        if (error.name === "QuotaExceededError") throw error;
        // A browser's own cache can be behind the site: once more, past it.
        if (patient) await pause(1000);
        await keep(url, event, "reload").catch((problem) => {
          console.warn(`${url} could not be kept`);
          todo.length = 0; // nor need the others be tried
          throw problem;
        });
      }
      left -= file[2];
      if (patient) tellSoon();
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

function fill(event) {
  filling ??= (async () => {
    await active;
    if (own.complete) return;
    trouble = "";
    try {
      await fetchMissing(event, true);
      own.complete = (await missing()).length === 0;
      await remember(own);
    } catch (error) {
      trouble = error.name === "QuotaExceededError" ? "full" : "stopped";
      if (trouble === "full") await giveBack();
      console.warn("not ready for offline:", error);
      self.registration.update().catch(() => {}); // perhaps the site is not this build's any more
    } finally {
      filling = null;
      await tell();
    }
  })();
  event.waitUntil(filling);
}

// Half a site is of no use without a network, and its room may be wanted for work.
async function giveBack() {
  const others = [...(await builds).values()].filter((build) => build !== own);
  const keysOf = (build) => [...build.controller.getURLsToCacheKeys().values()];
  const theirs = new Set(others.flatMap(keysOf));
  const cache = await caches.open(KEPT);
  for (const key of keysOf(own)) if (!theirs.has(key)) await cache.delete(key);
}

// Life cycle

// Pages are handed over before the event "activate" is: their messages wait for it.
let isActive;
const active = new Promise((resolve) => (isActive = resolve));
builds.then(() => {
  // Firefox does not let a worker ask: one that has left its record was active before.
  if (self.serviceWorker ? self.serviceWorker.state === "activated" : recorded) isActive();
});

self.addEventListener("install", (event) => {
  const install = async () => {
    const others = [...(await builds).values()].filter((build) => build !== own);
    if (self.registration.active && others.some(({ complete }) => complete)) {
      await fetchMissing(event, false); // or this worker is not installed, and tried again later
    }
    await self.skipWaiting();
  };
  event.waitUntil(install());
});

self.addEventListener("activate", (event) => {
  const activate = async () => {
    const known = await builds;
    const open = await self.clients.matchAll({ includeUncontrolled: true, type: "all" });
    const others = [...known.values()].filter((build) => build !== own);
    const last = others.find(({ clients }) => !clients.size); // the one this worker replaces
    if (last) {
      const theirs = (id) => others.some(({ clients }) => clients.has(id));
      last.clients = new Set(open.map(({ id }) => id).filter((id) => !theirs(id)));
      await remember(last);
    }
    own.complete ||= (await missing()).length === 0;
    await remember(own);
  };
  const takeOver = async () => {
    await activate().catch((error) => console.warn("nothing can be kept:", error));
    await self.clients.claim(); // the drive is needed whatever can be kept
    isActive();
    sweep().then(tell);
  };
  event.waitUntil(takeOver());
});

// What pages are told, and may ask for

async function stateFor(clientId) {
  if (own.complete) left = 0;
  left ??= bytesOf(await missing());
  const data = await caches.open(KEPT_DATA);
  const entry = async ([path, , bytes]) => ({
    name: path.split("/").pop().replace(/\.\w+$/, "").toUpperCase(),
    bytes,
    done: (await data.match(ROOT + path)) ? bytes : (taking.get(path) ?? 0),
    taking: taking.has(path),
    trouble: lost.get(path) ?? "",
  });
  return {
    type: "tinytorch-offline",
    changed: (await buildOf(clientId)) !== own,
    ready: own.complete,
    done: bytesOf(FILES) - left,
    total: bytesOf(FILES),
    trouble,
    data: await Promise.all(DATA.map(entry)),
  };
}

async function tell() {
  for (const client of await self.clients.matchAll()) client.postMessage(await stateFor(client.id));
}

let told = 0;
function tellSoon() {
  if (Date.now() - told < 500) return;
  told = Date.now();
  tell();
}

const taking = new Map(); // path of data -> bytes so far
const lost = new Map(); // path of data -> why it did not come
async function take([path, hash, size]) {
  if (taking.has(path)) return;
  taking.set(path, 0);
  lost.delete(path);
  try {
    const cache = await caches.open(KEPT_DATA);
    if (await cache.match(ROOT + path)) return;
    await checkRoom(size);
    const response = await fetch(ROOT + path, { cache: "no-cache" });
    const parts = [];
    for (let reader = response.body.getReader(), part; !(part = await reader.read()).done; ) {
      parts.push(part.value);
      taking.set(path, Math.min(size, taking.get(path) + part.value.length));
      tellSoon();
    }
    const bytes = await new Blob(parts).arrayBuffer();
    if ((await sha256(bytes)) !== hash) throw new Error(`${path} arrived damaged`);
    await cache.put(ROOT + path, new Response(bytes));
  } catch (error) {
    lost.set(path, error.name === "QuotaExceededError" ? "full" : "stopped");
    console.warn(`${path} could not be kept:`, error);
  } finally {
    taking.delete(path);
    await tell();
  }
}

self.addEventListener("message", (event) => {
  const { data, source } = event;
  if (data.python) data.stop ? stops.add(data.python) : stops.delete(data.python);
  if (data === "fill") fill(event);
  if (data === "take data") event.waitUntil(Promise.all(DATA.map(take)));
  if (data !== "state" && data !== "fill") return;
  const answer = async () => {
    await active;
    source.postMessage(await stateFor(source.id));
    if ((await builds).size === 1) return;
    if (await sweep()) await pause(5000).then(sweep); // a page that is just being left
  };
  event.waitUntil(answer());
});

// Requests

const DAMAGED = "X-TinyTorch-Damaged"; // lite/arrival.mjs says it

async function fromBuild({ request, event }) {
  const navigation = request.mode === "navigate";
  await builds;
  const build = navigation ? own : await buildOf(event.clientId);
  if (build !== own && event.resultingClientId) {
    build.clients.add(event.resultingClientId); // a worker belongs to the build of its page
    await remember(build);
  }
  const known = build.route.match({ request });
  try {
    // Until a build is complete its pages come from the network, as if there was no worker; what
    // Python runs is checked from the first visit on.
    const checked = known && (build.complete || (build === own && request.url.startsWith(PYTHON)));
    if (checked) return await checkedFile(known, event);
    return await fetch(request);
  } catch (error) {
    const kept = known && (await (await caches.open(KEPT)).match(known.cacheKey));
    if (kept) return kept;
    if (navigation) return notHere();
    throw error;
  }
}

// A file of a build, to the last bit: what was kept, else from the network, and then kept.
async function checkedFile({ cacheKey, integrity }, event) {
  await coming.get(cacheKey)?.catch(() => {});
  const cache = await caches.open(KEPT);
  const kept = await cache.match(cacheKey, { ignoreVary: true });
  if (kept) return kept;
  const url = new URL(cacheKey);
  url.search = "";
  for (const mode of ["no-cache", "reload"]) { // a browser's own cache can be behind the site
    const response = await fetch(url, { integrity, cache: mode }).catch(() => null);
    if (!response) continue;
    const room = await checkRoom(0).then(() => true, () => false);
    if (response.ok && room) {
      // Not waited for: it must not hold up the answer, nor break it where there is no room.
      const put = cache.put(cacheKey, response.clone()).finally(() => coming.delete(cacheKey));
      coming.set(cacheKey, put);
      event.waitUntil(put.catch(() => {}));
    }
    return response;
  }
  const { ok } = await fetch(url, { method: "HEAD" });
  const file = url.pathname.split("/").pop();
  if (!ok) throw new Error(`${file} could not be fetched`);
  const text = `${file} is not the file this site was built with`;
  return new Response(text, { status: 502, headers: { [DAMAGED]: file } });
}

function notHere() {
  const home = `<a href="${ROOT}">TinyTorch</a>`;
  const text = `This page is not kept on this machine, and there is no connection. ${home}`;
  const page = `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>TinyTorch</title><p>${text}`;
  return new Response(page, { status: 503, headers: { "Content-Type": "text/html" } });
}

async function fromData({ request, url }) {
  const again = request.headers.get("Cache-Control") === "no-cache"; // what is kept was damaged
  const kept = again ? null : await (await caches.open(KEPT_DATA)).match(url.origin + url.pathname);
  return kept ?? fetch(request);
}

// JupyterLite's own messages, as its service worker handles them: Python's file system and `input()`
// ask with a request that blocks them, a page answers. Made for @jupyterlite/apputils 0.8.
const pages = new BroadcastChannel("/sw-api.v1");

async function fromPage({ request, url }) {
  const { requestId = crypto.randomUUID(), ...asked } = await request.json();
  return new Promise((resolve) => {
    pages.addEventListener("message", function answer({ data }) {
      if (data.browsingContextId !== asked.browsingContextId || data.requestId !== requestId) return;
      pages.removeEventListener("message", answer);
      resolve(new Response(JSON.stringify(data.response)));
    });
    pages.postMessage({ ...asked, requestId, pathname: url.pathname });
  });
}

// Which Python a page wants to stop: lite/interrupt.mjs asks, while it runs.
const stops = new Set();
const isInterrupt = ({ url }) => url.href.startsWith(`${ROOT}lite/api/interrupt?`);
const interrupt = async ({ url }) =>
  new Response(stops.delete(url.searchParams.get("python")) ? "stop" : "");

const isApi = ({ url, sameOrigin }) => sameOrigin && /\/api\/(drive|stdin\/)/.test(url.pathname);
registerRoute(isApi, fromPage, "POST");
registerRoute(isInterrupt, interrupt);
registerRoute(({ url }) => url.pathname === "/api/service-worker-heartbeat", async () => new Response("ok"));
registerRoute(({ url }) => url.href.startsWith(DATA_FOLDER), fromData);
registerRoute(({ url }) => url.href.startsWith(ROOT), fromBuild);
