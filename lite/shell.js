// The bar above the live notebook and the panel that says what is starting. Runs before JupyterLab's
// scripts: it starts Python at once, in parallel with them, and hands it to the kernel.
(() => {
  const data = JSON.parse(document.getElementById("tt-data").textContent);
  const query = new URLSearchParams(location.search);
  const path = query.get("path") || "";
  // Copies beside a notebook are called 01_tensor.2.ipynb, 01_tensor.mine.ipynb.
  const original = path.split("/").pop().replace(/(\.mine)?(\.\d+)?(?=\.ipynb$)/, "");
  const page = data.pages[original];
  const framed = window.parent !== window;
  const lite = new URL("../", location.href).href;
  const byId = (id) => document.getElementById(id);
  const DRIVE = "Your work cannot be kept here: this browser gives the page no place for files. " +
    "Use a normal window (not a private one) and an address with https or localhost.";

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
  const details = {};
  let ready = false;
  function step(name, what, detail = "") {
    if (what === "start" && state[name] !== "start") begun[name] = performance.now();
    state[name] = what;
    details[name] = detail;
    tick();
  }
  function tick() {
    for (const item of document.querySelectorAll("#tt-steps li")) {
      const name = item.dataset.step;
      if (!state[name]) continue;
      item.dataset.state = state[name];
      const seconds = `${Math.floor((performance.now() - begun[name]) / 1000)} s`;
      const said = state[name] === "start" ? [details[name], seconds] : [details[name]];
      item.lastElementChild.textContent = said.filter(Boolean).join(" · ");
    }
  }
  const clock = setInterval(tick, 250);

  function trouble(text) {
    const line = byId("tt-trouble");
    line.textContent = text;
    line.hidden = false;
    document.body.classList.remove("tt-ready");
  }
  // The kernel's start fails as a rejected promise that nobody waits for.
  addEventListener("unhandledrejection", ({ reason }) => {
    if (ready) return;
    const lines = String(reason?.message ?? reason).trim().split("\n");
    trouble(`Python did not start: ${lines[lines.length - 1]}. Your saved work is untouched.`);
  });

  // A line at the foot of the page; each key has one, and an empty text takes it away.
  const LOUD = ["save", "died", "drive"];
  function notice(key, text, ...buttons) {
    const place = byId("tt-notice");
    const old = place.querySelector(`[data-key="${key}"]`);
    if (!text) return old?.remove();
    if (old?.firstChild.textContent === text) return;
    const line = document.createElement("p");
    line.dataset.key = key;
    line.classList.toggle("tt-loud", LOUD.includes(key));
    const span = document.createElement("span");
    span.textContent = text;
    line.append(span, ...buttons);
    old ? old.replaceWith(line) : place.append(line);
  }
  function button(text, action) {
    const made = document.createElement("button");
    made.textContent = text;
    made.addEventListener("click", action);
    return made;
  }

  // Python's worker. JupyterLab's kernel extension asks for one with `new Worker(…comlink.worker…)`;
  // what it gets is the same worker with Pyodide already on its way.
  const NativeWorker = window.Worker;
  let name = "";
  let spare = null;
  let taken = false; // the kernel has its worker; a second one would only wait, under another name
  function newPython() {
    name = `tt-${Math.random().toString(36).slice(2)}`;
    const first = localStorage.getItem("tt-visited") ? "" : "?first";
    const url = `${lite}static/pyodide/worker.mjs${first}`;
    const worker = new NativeWorker(url, { type: "module", name });
    worker.addEventListener("error", () => {
      if (ready || state.python === "done") return;
      trouble("Python's files did not all arrive, or not as they were built. Reload the page.");
    });
    return worker;
  }
  if (!window.crossOriginIsolated) {
    window.Worker = function (url, options) {
      if (!String(url).includes("/comlink.worker.")) return new NativeWorker(url, options);
      const worker = spare || newPython();
      spare = null;
      taken = true;
      return worker;
    };
    window.Worker.prototype = NativeWorker.prototype;
  }

  // The student's drive reaches Python through the service worker. It has to be in control before
  // Python's worker is made, also on the very first visit.
  async function serviceWorker() {
    const container = navigator.serviceWorker;
    if (!container) return;
    const url = new URL("../service-worker.js", lite).href;
    // JupyterLite removes every service worker of the origin when this entry does not match.
    localStorage.setItem(`${url}-version`, data.appVersion);
    // The site has one worker, which does for JupyterLite what its own would do. This looks for a new
    // one on the net: no need to wait.
    const registered = container.register(url, { updateViaCache: "none" });
    container.register = () => registered;
    if (container.controller) return void registered.catch(() => {});
    const { active } = await registered;
    if (container.controller) return;
    // One that is still being activated takes this page over as its last step.
    if (active?.state === "activated" && !sessionStorage.getItem("tt-forced")) {
      // A forced reload leaves the page outside the service worker's reach; a plain one does not.
      sessionStorage.setItem("tt-forced", "1");
      location.reload();
      return new Promise(() => {});
    }
    await new Promise((resolve) => {
      container.addEventListener("controllerchange", resolve, { once: true });
      setTimeout(resolve, 4000);
    });
  }

  const channel = new BroadcastChannel("tinytorch-boot");
  channel.addEventListener("message", ({ data: message }) => {
    if (message.from !== name) return; // another tab's Python
    if (message.state === "died") return died(message.detail);
    step(message.step, message.state, message.detail);
    if (message.state === "failed") trouble(`${message.label}. ${message.detail}`);
  });

  step("notebook", "start");
  const controlled = serviceWorker().catch((error) => console.warn("no service worker:", error));
  controlled.then(() => {
    if (window.crossOriginIsolated || taken) return;
    spare = newPython();
    step("python", "start");
  });

  document.addEventListener("DOMContentLoaded", () => {
    showTheme();
    if (page) {
      byId("tt-title").textContent = page.title;
      byId("tt-back").href = page.url;
      document.title = page.title;
    }
    tick();
  });
  // From the first moment the bar can be seen, also when neither JupyterLab nor Python starts.
  document.addEventListener("click", async (event) => {
    if (event.target.closest("#tt-work")) {
      (await import("./keep/panel.js")).show({ notebook: kept });
    } else if (framed && event.target.closest("#tt-back")) {
      event.preventDefault();
      window.parent.postMessage({ type: "tinytorch-close" }, location.origin);
    }
  });

  // From here on with JupyterLab's application.
  let kept = null; // what lite/keep/ can do with the open notebook
  let restart = () => location.reload();
  function died(detail) {
    console.warn("Python stopped:", detail);
    const why = /stack|recursion/i.test(detail) ? "a function called itself too deeply"
      : /memory|allocat/i.test(detail) ? "the tab's memory is used up" : "something went wrong inside it";
    const text = `Python has stopped: ${why}. Everything saved is safe. Restart brings Python and your ` +
      "saved code back; then change the cell that was running.";
    state.died = true;
    notice("died", text, button("Restart", () => restart()));
    showKernel("stopped", false);
  }
  async function until(test) {
    for (;;) {
      const value = test();
      if (value) return value;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const themeName = () => (wantsDark() ? "JupyterLab Dark" : "JupyterLab Light");

  // JupyterLab reads its settings' defaults from this element, filled in just before it starts.
  document.addEventListener("DOMContentLoaded", () => {
    const element = byId("jupyter-config-data");
    const observer = new MutationObserver(() => {
      observer.disconnect();
      const config = JSON.parse(element.textContent);
      const themes = (config.settingsOverrides ??= {});
      themes["@jupyterlab/apputils-extension:themes"] = { theme: themeName() };
      element.textContent = JSON.stringify(config);
    });
    observer.observe(element, { childList: true });
  });

  function followTheme(app) {
    const apply = () => {
      showTheme();
      const shown = document.body.dataset.jpThemeName;
      if (shown !== themeName()) app.commands.execute("apputils:change-theme", { theme: themeName() });
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
      if (state.died) return showKernel("stopped", false);
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

  // `#ex=<id>` in the address: show that exercise's cell. The book sets it, also while this is open.
  function goToExercise(panel) {
    const id = decodeURIComponent(location.hash.match(/^#ex=(.+)$/)?.[1] ?? "");
    const cells = panel.content.widgets;
    const index = cells.findIndex((c) => c.model.getMetadata("tinytorch")?.exercise === id);
    if (!id || index < 0) return;
    panel.content.deselectAll();
    panel.content.activeCellIndex = index;
    panel.content.scrollToItem(index, "start");
  }

  // JupyterLab stores a version to go back to of each notebook it opens, and does not open one of
  // which it cannot. In a browser that has no room left a notebook is opened without.
  function withoutCheckpoints(contents) {
    const create = contents.createCheckpoint.bind(contents);
    contents.createCheckpoint = (path) => create(path).catch((error) => {
      console.warn(`no checkpoint of ${path}:`, error);
      return { id: "none", last_modified: new Date().toISOString() };
    });
  }

  async function main() {
    const app = await until(() => window.jupyterapp);
    withoutCheckpoints(app.serviceManager.contents);
    await app.started;
    const panel = await until(() => {
      const widget = app.shell.currentWidget;
      return widget?.sessionContext && widget.content?.model ? widget : null;
    });
    await panel.context.ready;
    const { keep } = await import("./keep/notebook.js");
    const tools = { notice, button, pages: data.pages, restart: () => restart(), python: () => name };
    kept = keep(app, panel, tools);
    step("notebook", "done");
    app.restored.then(() => until(() => document.body.dataset.jpThemeName)).then(() => followTheme(app));
    document.body.classList.add("tt-open");
    const show = followKernel(panel);
    restart = async () => {
      state.work = "start";
      state.died = false;
      notice("died", "");
      show();
      await app.commands.execute("notebook:restart-kernel");
      panel.content.activate();
    };
    byId("tt-restart").addEventListener("click", restart);
    goToExercise(panel);
    addEventListener("hashchange", () => goToExercise(panel));
    await until(() => state.work === "done" && panel.sessionContext.session?.kernel?.status === "idle");
    ready = true;
    clearInterval(clock);
    localStorage.setItem("tt-visited", "1");
    document.body.classList.add("tt-ready");
    const t = performance.timeOrigin + performance.now();
    channel.postMessage({ step: "ready", state: "done", label: "Ready", detail: "", t, from: name });
    show();
    byId("tt-restart").disabled = false;
    await controlled;
    if (!navigator.serviceWorker?.controller && !window.crossOriginIsolated) notice("drive", DRIVE);
  }
  main().catch((error) => {
    console.error(error);
    trouble("The notebook could not be opened. Reload the page; your saved work is untouched.");
  });
})();
