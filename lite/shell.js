// The bar above the live notebook and the panel that says what is starting. Runs before JupyterLab's
// scripts: it starts Python at once, in parallel with them, and hands it to the kernel.
(() => {
  const STEPS = ["notebook", "python", "packages", "kernel", "work"];
  const data = JSON.parse(document.getElementById("tt-data").textContent);
  const query = new URLSearchParams(location.search);
  const path = query.get("path") || "";
  // A newer edition opened beside the student's copy is called 01_tensor.new-1a2b3c4d.ipynb.
  const original = path.split("/").pop().replace(/\.new-[0-9a-f]+(?=\.ipynb$)/, "");
  const page = data.pages[original];
  const framed = window.parent !== window;
  const lite = new URL("../", location.href).href;
  const byId = (id) => document.getElementById(id);

  // The theme: the book's choice (pydata-sphinx-theme keeps it in localStorage), else the system's.
  function wantsDark() {
    const theme = localStorage.getItem("mode") || localStorage.getItem("theme") || "auto";
    if (theme === "dark" || theme === "light") return theme === "dark";
    return matchMedia("(prefers-color-scheme: dark)").matches;
  }
  const showTheme = () => (document.documentElement.dataset.theme = wantsDark() ? "dark" : "light");
  showTheme();

  // Steps and their states.
  const begun = {};
  const state = {};
  let ready = false;
  function step(name, what, detail = "") {
    if (what === "start" && state[name] !== "start") begun[name] = performance.now();
    state[name] = what;
    const item = document.querySelector(`#tt-steps [data-step="${name}"]`);
    if (!item) return;
    item.dataset.state = what;
    item.dataset.detail = detail;
    if (what !== "start") item.lastElementChild.textContent = what === "done" ? "" : detail;
    tick();
  }
  function tick() {
    for (const item of document.querySelectorAll('#tt-steps [data-state="start"]')) {
      const seconds = Math.floor((performance.now() - begun[item.dataset.step]) / 1000);
      item.lastElementChild.textContent = [item.dataset.detail, `${seconds} s`].filter(Boolean).join(" · ");
    }
  }
  const clock = setInterval(tick, 250);

  function trouble(text) {
    const line = byId("tt-trouble");
    line.textContent = text;
    line.hidden = false;
    document.body.classList.remove("tt-ready");
  }

  // Python's worker. JupyterLab's kernel extension asks for one with `new Worker(…comlink.worker…)`;
  // what it gets is the same worker with Pyodide already on its way.
  const NativeWorker = window.Worker;
  let name = "";
  let spare = null;
  function newPython() {
    name = `tt-${Math.random().toString(36).slice(2)}`;
    const first = localStorage.getItem("tt-visited") ? "" : "?first";
    return new NativeWorker(`${lite}static/pyodide/worker.mjs${first}`, { type: "module", name });
  }
  if (!window.crossOriginIsolated) {
    window.Worker = function (url, options) {
      if (!String(url).includes("/comlink.worker.")) return new NativeWorker(url, options);
      const worker = spare || newPython();
      spare = null;
      return worker;
    };
    window.Worker.prototype = NativeWorker.prototype;
  }

  // The student's drive reaches Python through the service worker. It has to be in control before
  // Python's worker is made, also on the very first visit.
  async function serviceWorker() {
    const container = navigator.serviceWorker;
    if (!container) return;
    const url = `${lite}service-worker.js?enableCache=false`;
    // JupyterLite removes every service worker of the origin when this entry does not match.
    localStorage.setItem(`${url}-version`, data.appVersion);
    await container.register(url);
    if (container.controller) return;
    await new Promise((resolve) => {
      container.addEventListener("controllerchange", resolve, { once: true });
      setTimeout(resolve, 4000);
    });
  }

  const channel = new BroadcastChannel("tinytorch-boot");
  channel.addEventListener("message", ({ data: message }) => {
    if (message.from !== name) return; // another tab's Python
    step(message.step, message.state, message.detail);
    if (message.state === "failed") trouble(`${message.label}. ${message.detail}`);
  });

  step("notebook", "start");
  const controlled = serviceWorker().catch((error) => console.warn("no service worker:", error));
  controlled.then(() => {
    if (!window.crossOriginIsolated) {
      spare = newPython();
      step("python", "start");
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    showTheme();
    if (page) {
      byId("tt-title").textContent = page.title;
      byId("tt-back").href = page.url;
      document.title = page.title;
    }
    byId("tt-back").addEventListener("click", (event) => {
      if (!framed) return;
      event.preventDefault();
      window.parent.postMessage({ type: "tinytorch-close" }, location.origin);
    });
    tick();
  });

  // From here on with JupyterLab's application.
  async function until(test) {
    for (;;) {
      const value = test();
      if (value) return value;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async function followTheme(app) {
    let current = null;
    const apply = () => {
      showTheme();
      const theme = wantsDark() ? "JupyterLab Dark" : "JupyterLab Light";
      if (theme !== current) app.commands.execute("apputils:change-theme", { theme });
      current = theme;
    };
    apply();
    addEventListener("storage", apply);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  }

  function showKernel(text, busy) {
    const label = byId("tt-kernel");
    if (label.textContent !== text) label.textContent = text;
    label.dataset.busy = busy;
  }

  function followKernel(panel) {
    const context = panel.sessionContext;
    let worked = false;
    const show = () => {
      const kernel = context.session?.kernel?.status || "starting";
      const running = kernel === "busy";
      if (!ready) return showKernel("starting", true);
      if (state.work === "start" || kernel.includes("starting")) return showKernel("starting", true);
      showKernel(running ? "running" : kernel === "idle" ? "ready" : kernel, running);
      if (running && !worked) {
        worked = true;
        navigator.storage?.persist?.(); // once there is work worth keeping
      }
    };
    context.statusChanged.connect(show);
    context.kernelChanged.connect(show);
    channel.addEventListener("message", () => setTimeout(show));
    show();
    return show;
  }

  async function offerNewEdition(app, panel) {
    const mine = panel.content.model.getMetadata("tinytorch")?.version;
    if (!page?.version || !mine || mine === page.version || path.includes(".new-")) return;
    const key = `tt-seen-${original}`;
    if (localStorage.getItem(key) === page.version) return;
    const notice = byId("tt-notice");
    const text = document.createElement("span");
    text.textContent = "This notebook has a new version. Yours stays as it is.";
    const open = document.createElement("button");
    open.textContent = "Open the new version beside yours";
    const close = document.createElement("button");
    close.textContent = "Not now";
    open.addEventListener("click", async () => {
      const copy = original.replace(/\.ipynb$/, `.new-${page.version.slice(0, 8)}.ipynb`);
      const there = await app.serviceManager.contents.get(copy, { content: false }).catch(() => null);
      if (!there) {
        const served = await (await fetch(`${lite}files/${original}`, { cache: "no-cache" })).json();
        await app.serviceManager.contents.save(copy, {
          type: "notebook",
          format: "json",
          content: served,
        });
      }
      await panel.context.save();
      location.search = `?path=${encodeURIComponent(copy)}`;
    });
    close.addEventListener("click", () => {
      localStorage.setItem(key, page.version);
      notice.hidden = true;
    });
    notice.replaceChildren(text, open, close);
    notice.hidden = false;
  }

  async function main() {
    const app = await until(() => window.jupyterapp);
    await app.started;
    followTheme(app);
    const panel = await until(() => {
      const widget = app.shell.currentWidget;
      return widget?.sessionContext && widget.content?.model ? widget : null;
    });
    await panel.context.ready;
    // A course notebook's outputs were made here, by the student: cards keep their looks on return.
    if (page) for (const cell of panel.content.model.cells) cell.trusted = true;
    step("notebook", "done");
    document.body.classList.add("tt-open");
    const show = followKernel(panel);
    await until(() => state.work === "done" && panel.sessionContext.session?.kernel?.status === "idle");
    ready = true;
    clearInterval(clock);
    localStorage.setItem("tt-visited", "1");
    document.body.classList.add("tt-ready");
    const t = performance.timeOrigin + performance.now();
    channel.postMessage({ step: "ready", state: "done", label: "Ready", detail: "", t, from: name });
    show();
    const restart = byId("tt-restart");
    restart.disabled = false;
    restart.addEventListener("click", async () => {
      state.work = "start";
      show();
      await app.commands.execute("notebook:restart-kernel");
      panel.content.activate();
    });
    offerNewEdition(app, panel);
  }
  main().catch((error) => {
    console.error(error);
    trouble("The notebook could not be opened. Reload the page; your saved work is untouched.");
  });
})();
