// Says how far the site is ready for offline, in every element [data-offline], on the book's pages
// and in the notebook's bar. The service worker (lite/service-worker.js) does the work; this asks
// it to begin once the page is at rest.
(() => {
  const container = navigator.serviceWorker;
  const root = new URL("../", document.currentScript.src).href;
  const notebook = document.getElementById("tt-bar") !== null;
  const MB = (bytes) => (bytes / 1e6).toFixed(0);
  if (!container) return;

  let state = null;
  let asked = !navigator.connection?.saveData; // who saves data says so first

  function element(tag, text, action) {
    const made = document.createElement(tag);
    made.textContent = text;
    if (action) made.addEventListener("click", action);
    if (tag === "button") made.type = "button";
    return made;
  }
  const send = (what) => container.controller?.postMessage(what);

  function status() {
    const { changed, ready, done, total, trouble } = state;
    if (changed) return [element("button", "New version: reload", () => location.reload())];
    if (trouble === "full") return [element("span", "Not ready for offline: no room on this device")];
    if (ready) return [element("span", "Ready for offline")];
    if (trouble) {
      const text = `Getting ready for offline: ${MB(done)} of ${MB(total)} MB`;
      return [element("span", text), element("span", "Waiting for a connection")];
    }
    if (!asked) {
      const begin = () => {
        asked = true;
        send("fill");
      };
      return [element("button", `Make ready for offline, ${MB(total - done)} MB`, begin)];
    }
    return [element("span", `Getting ready for offline: ${MB(done)} of ${MB(total)} MB`)];
  }

  function data() {
    return state.data.map(({ name, bytes, done, taking, trouble }) => {
      if (taking) return element("span", `${name}: ${MB(done)} of ${MB(bytes)} MB`);
      if (done) return element("span", `with ${name}`);
      let words = `Keep ${name} too, ${MB(bytes)} MB`;
      if (trouble === "full") words = `No room for ${name}, ${MB(bytes)} MB: try again`;
      else if (trouble) words = `${name} did not arrive: try again`;
      return element("button", words, () => send("take data"));
    });
  }

  function show() {
    for (const place of document.querySelectorAll("[data-offline]")) {
      const parts = status();
      if (place.dataset.offline === "all" && !state.changed) parts.push(...data());
      const words = parts.map((part) => part.outerHTML).join();
      if (place.dataset.words === words) continue; // the focus stays where it is
      place.dataset.words = words;
      place.dataset.state = state.changed ? "changed" : state.ready ? "ready" : "getting";
      place.replaceChildren(...parts);
    }
  }

  container.addEventListener("message", (event) => {
    if (event.data?.type !== "tinytorch-offline") return;
    state = event.data;
    show();
  });
  container.startMessages();

  const at = (what) => new Promise((resolve) => {
    if (document.readyState === what) resolve();
    else addEventListener("load", resolve, { once: true });
  });
  const atRest = () => new Promise((resolve) => {
    if ("requestIdleCallback" in window) requestIdleCallback(resolve, { timeout: 5000 });
    else setTimeout(resolve, 2000);
  });
  // A notebook says when its Python has started: until then the network is Python's.
  const started = () => new Promise((resolve) => {
    new BroadcastChannel("tinytorch-boot").addEventListener("message", ({ data: message }) => {
      if (message.step === "ready" || message.state === "failed") resolve();
    });
  });

  async function main() {
    const begun = notebook ? started() : at("complete");
    const registered = container.register(`${root}service-worker.js`, { updateViaCache: "none" });
    registered.catch((error) => console.warn("no service worker:", error));
    const registration = await registered;
    send("state");
    container.addEventListener("controllerchange", () => send("state"));
    addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      registration.update().catch(() => {}); // a tab may stay open for days
    });
    addEventListener("online", () => asked && send("fill"));
    await begun;
    await atRest();
    for (;;) {
      // Asked again and again: a browser stops a worker that nobody asks for anything.
      if (state?.ready && state.trouble === "") return;
      if (asked && !document.hidden && state?.trouble !== "full") send("fill");
      await new Promise((resolve) => setTimeout(resolve, state ? 20_000 : 500));
    }
  }
  main().catch(() => {});
})();
