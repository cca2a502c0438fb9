// What is written while a notebook is open: said loudly when it fails, and never over another tab's.
//
// Everything goes through JupyterLite's contents manager, from the notebook and from Python. Python
// waits for an answer, whatever it is: a failure must not leave it waiting, so it is told nothing, and
// tinytorch/course/work.py reads back what it wrote.
import { free, plain } from "./store.js";

const KIND = { type: "notebook", format: "json" };
const ANSWER = 1500; // ms that another tab has to save and let go

// `alarm(text | null)`: say it, or that it is over. `copied(path, choices)`: say where it goes now.
export function watch(app, panel, { alarm, copied }) {
  const { context } = panel;
  const { contents } = app.serviceManager;
  const mine = context.path;
  const lockName = `tinytorch ${mine}`;
  const channel = new BroadcastChannel("tinytorch-notebook");
  const original = Object.fromEntries(
    ["save", "rename", "newUntitled"].map((name) => [name, contents[name].bind(contents)]),
  );
  let release = null; // this tab is the one that saves; calling it lets another
  let beside = null; // another tab has the notebook: where this one saves
  let settled = false; // the student has said that this tab's is the one
  const failing = new Set();
  context.lastModifiedCheckMargin = Infinity; // JupyterLab's own question keeps only one version

  function failed(error, path) {
    console.warn(`${path} could not be saved:`, error);
    const full = error?.name === "QuotaExceededError" || /quota/i.test(String(error?.message));
    const why = full ? "this browser has no room left for the site"
      : `the browser says: ${error?.message ?? error}`;
    failing.add(path);
    alarm(`Not saved: ${why}. What was saved before is still there. Export your work now, then free ` +
      "some room, or use a normal (not a private) window.");
  }

  // One tab saves a notebook at a time. Whoever has the lock saves and lets go when another asks.
  const request = (how) => new Promise((resolve) => {
    const granted = (lock) => {
      resolve(Boolean(lock));
      if (lock) return new Promise((done) => (release = done));
    };
    navigator.locks.request(lockName, how, granted).catch(() => resolve(false));
  });
  const take = async () => release || !navigator.locks || request({ ifAvailable: true });
  async function askFor() {
    if (await take()) return true;
    channel.postMessage({ ask: mine });
    return (await request({ signal: AbortSignal.timeout(ANSWER) })) || Boolean(release);
  }
  function letGo() {
    release?.();
    release = null;
  }
  channel.addEventListener("message", async ({ data }) => {
    if (data.ask !== mine || !release) return;
    if (context.model.dirty) await context.save().catch(() => {});
    letGo();
  });

  // What the cells say; a session's start touches the metadata, which nobody has to keep.
  const words = (content) => JSON.stringify(plain(content).cells);
  const here = () => words(context.model.toJSON());
  let base = here(); // what was last read or saved
  async function revert() {
    await context.revert();
    if (!context.model.dirty) base = here();
  }

  const stored = (path) => contents.get(path, { content: false }).catch(() => null);
  async function stale() {
    const there = await stored(mine);
    if (!there || there.last_modified === context.contentsModel.last_modified) return false;
    const theirs = words((await contents.get(mine, { content: true })).content);
    return theirs !== base && theirs !== here();
  }

  async function freeName() {
    const names = new Set((await contents.get("", { content: true })).content.map(({ name }) => name));
    return free(mine, (path) => names.has(path));
  }

  async function saveNotebook(options) {
    if (!beside && !settled && here() === base && (await stale())) {
      setTimeout(revert);
      return stored(mine);
    }
    if (!beside && !settled && (!(await askFor()) || (await stale()))) {
      letGo();
      beside = await freeName();
      copied(beside, {
        // The other tab's version is kept under a number, this one takes its place.
        async mine() {
          await context.save();
          const copy = beside;
          const other = await contents.get(mine, { content: true });
          await original.save(await freeName(), { ...KIND, content: other.content });
          beside = null;
          settled = true;
          await take();
          await context.save();
          await contents.delete(copy);
        },
        async theirs() {
          await context.save();
          beside = null;
          await revert();
        },
      });
    }
    settled = false;
    if (!beside) {
      const now = here();
      const model = await original.save(mine, options);
      base = now;
      return model;
    }
    return { ...(await original.save(beside, { ...options, name: beside })), path: mine, name: mine };
  }

  contents.save = async (path, options) => {
    const notebook = path === mine && options?.type === "notebook";
    try {
      const model = notebook ? await saveNotebook(options) : await original.save(path, options);
      if (notebook) failing.clear(); // what Python could not save, its card has told
      else failing.delete(path);
      if (!failing.size) alarm(null);
      return model;
    } catch (error) {
      failed(error, path);
      // JupyterLab says nothing more about an error of this name, and tries again.
      if (notebook) throw Object.assign(new Error(error?.message), { name: "ModalCancelError" });
      return { ...options, path };
    }
  };
  for (const name of ["rename", "newUntitled"]) {
    contents[name] = async (...args) => {
      try {
        return await original[name](...args);
      } catch (error) {
        failed(error, args[0]?.path ?? args[0]);
        return { path: args[0]?.path ?? args[1] ?? "" };
      }
    };
  }

  // Whoever looks at this tab sees the newest; whoever leaves it has saved.
  const leave = () => context.model.dirty && context.save().catch(() => {});
  const enter = async () => {
    if (!beside && here() === base && (await stale())) await revert();
  };
  addEventListener("blur", leave);
  addEventListener("focus", enter);
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : enter()));
}
