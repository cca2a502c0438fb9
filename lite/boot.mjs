// Starts Pyodide, and says how far it has come.
//
// The notebook's kernel imports `loadPyodide` from here. Pyodide is started before the kernel asks
// for it, while JupyterLab is still loading, and handed over when it does.
//
// Steps go out on BroadcastChannel("tinytorch-boot") as {step, state, label, detail, t, from}:
// step "python" | "packages" | "kernel" | "work", state "start" | "done" | "died", t in ms since the epoch,
// from = the worker's name, by which a page knows its own kernel from that of another tab.
import { missing } from "./arrival.mjs";
import { interruptible } from "./interrupt.mjs";
import { loadPyodide as load } from "./pyodide.mjs";

const BASE = new URL("./", import.meta.url).href;
const channel = new BroadcastChannel("tinytorch-boot");
const sinks = { stdout: console.log, stderr: console.error };

export function announce(step, state, label = "", detail = "") {
  const t = performance.timeOrigin + performance.now();
  channel.postMessage({ step, state, label, detail, t, from: self.name });
}

// Count the bytes of what is fetched while Python starts. A copy of the stream is counted: the
// response itself stays untouched, so that the browser can keep its compiled WebAssembly.
function countBytes(progress) {
  const native = self.fetch;
  let loaded = 0;
  let total = 0;
  let told = 0;
  async function count(response) {
    const length = Number(response.headers.get("content-length"));
    if (response.headers.get("content-encoding") || !length) return;
    total += length;
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      loaded += value.length;
      if (performance.now() - told > 100 && total > 1e6) {
        told = performance.now();
        progress(`${(loaded / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`);
      }
    }
  }
  self.fetch = async (...args) => {
    const response = await native(...args);
    if (response.ok) count(response.clone()).catch(() => {});
    return response;
  };
  return () => {
    self.fetch = native;
    told = Infinity;
  };
}

async function start() {
  const label = "Starting Python";
  announce("python", "start", label);
  const first = new URL(self.location.href).searchParams.has("first");
  const stop = first ? countBytes((d) => announce("python", "start", label, d)) : () => {};
  const get = async (name) => {
    const response = await fetch(BASE + name, { cache: "no-cache" });
    if (!response.ok) throw new Error(`${name} could not be fetched (${response.status})`);
    return response;
  };
  const lockText = await (await get("pyodide-lock.json")).text();
  const lock = JSON.parse(lockText);
  // Everything at once: Pyodide itself would ask for the packages only when it runs.
  const kernel = get("kernel.zip").then((r) => r.arrayBuffer());
  kernel.catch(() => {}); // awaited, and reported, below
  const early = ["numpy", "tinytorch"].filter((name) => name in lock.packages);
  for (const name of early) {
    get(lock.packages[name].file_name).then((r) => r.arrayBuffer()).catch(() => {});
  }
  const pyodide = await load({
    indexURL: BASE,
    packageBaseUrl: BASE,
    lockFileContents: lock,
    stdLibURL: BASE + "python.zip",
    stdout: (text) => sinks.stdout(text),
    stderr: (text) => sinks.stderr(text),
  });
  stop();
  // Out of stack, or of memory beyond what Python can catch: it answers nothing any more. The kernel
  // sets this handler too, to write to the log.
  let logged = null;
  Object.defineProperty(pyodide._api, "on_fatal", {
    get: () => (error) => {
      announce("python", "died", label, String(error));
      return logged?.(error);
    },
    set: (handler) => (logged = handler),
  });
  announce("python", "done", label);

  announce("packages", "start", "Loading NumPy and tinytorch");
  for (const name of early) {
    announce("packages", "start", "Loading NumPy and tinytorch", name);
    await pyodide.loadPackage(name, { messageCallback: () => {} });
  }
  announce("packages", "done");
  announce("kernel", "start", "Starting the notebook kernel");
  const sitePackages = pyodide.runPython("import site; site.getsitepackages()[0]");
  pyodide.unpackArchive(await kernel, "zip", { extractDir: sitePackages });
  pyodide.FS.mkdirTree("/etc/ipython");
  pyodide.FS.writeFile(
    "/etc/ipython/ipython_config.json",
    JSON.stringify({ InteractiveShellApp: { extensions: ["tinytorch_lite"] } }),
  );
  self.tinytorchAnnounce = announce;
  self.tinytorchLock = lockText;
  self.tinytorchBase = BASE;
  self.tinytorchRunning = interruptible(pyodide, new URL("../../", BASE));
  // The whole kernel, while JupyterLab is still loading. Once the student's drive is mounted, every
  // import looks there first, and each look goes through the page, which then is at its busiest.
  pyodide.runPython("import asyncio, pyodide_kernel, piplite");
  return pyodide;
}

let started = null;

// Start now; the result is what the first loadPyodide gets.
export function warm() {
  started ??= Promise.race([start(), missing]);
  started.catch((error) => announce("python", "failed", "Python did not start", error?.message ?? String(error)));
  return started;
}

export async function loadPyodide(options = {}) {
  const pyodide = await warm();
  if (options.stdout) sinks.stdout = options.stdout;
  if (options.stderr) sinks.stderr = options.stderr;
  return pyodide;
}
