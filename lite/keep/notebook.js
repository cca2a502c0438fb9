// What keeps work safe while a live notebook is open; lite/shell.js calls `keep` once it is there.
//
// Given: `notice(key, text, …buttons)`, which shows a line and with an empty text takes it away,
// `button(text, action)`, `restart()`, `python()` (its worker's name) and `pages` (the site's notebooks).
import { accept, look, sentence, waiting } from "./accept.js";
import { cellText, refresh, renew, showDifference, untouched } from "./edition.js";
import { exportAll, served, styled } from "./panel.js";
import { all, change } from "./store.js";
import { watch } from "./saving.js";

const LONG = 30; // s after which a running cell may be one that never ends
const UNHEARD = 4; // s after which one that was asked to stop has not heard it

export function keep(app, panel, tools) {
  const { context } = panel;
  const { path } = context;
  styled();
  trust(panel, tools.pages);
  saving(app, panel, tools);
  editions(panel, tools).catch(console.error);
  running(panel, tools);
  imported(tools).catch(console.error);
  const restart = async () => {
    await tools.restart();
    await imported(tools);
  };
  return {
    path,
    restart,
    save: () => (context.model.dirty ? context.save() : Promise.resolve()),
    async reload() {
      await context.revert();
      await restart(); // Python has what was there before
    },
  };
}

// Outputs that this browser made keep their looks on return; what came out of a zip must not run.
async function trust(panel, pages) {
  const { path } = panel.context;
  const stored = (await all()).get(path);
  const ours = /^[^/]+?(\.mine)?(\.\d+)?\.ipynb$/.test(path) && !stored?.imported;
  const known = path.replace(/(\.mine)?(\.\d+)?(?=\.ipynb$)/, "") in pages;
  if (ours && known) for (const cell of panel.content.model.cells) cell.trusted = true;
}

function saving(app, panel, { notice, button }) {
  const exporting = button("Export everything", () => exportAll());
  watch(app, panel, {
    alarm: (text) => notice("save", text ?? "", exporting),
    copied(beside, { mine, theirs }) {
      const end = (choice) => async () => {
        notice("tabs", "");
        await choice();
      };
      notice(
        "tabs",
        `Another tab has changed this notebook. Nothing is overwritten: what you do here is kept as ${beside}.`,
        button("Keep my version", end(mine)),
        button("Show the other", end(theirs)),
      );
    },
  });
}

async function editions(panel, { notice, button, pages }) {
  const { context } = panel;
  const { path } = context;
  const replaced = await refresh(pages);
  if (replaced.has(path) && (await untouched(context.model.toJSON()))) return context.revert();
  const page = pages[path];
  const mine = panel.content.model.getMetadata("tinytorch")?.version;
  const key = `tt-seen-${path}`;
  if (!page?.version || !mine || mine === page.version) return;
  if (localStorage.getItem(key) === page.version) return;
  const fresh = await served(path);
  const ask = () => notice(
    "edition",
    "This notebook has a new version. Yours stays as it is until you say otherwise.",
    button("Keep mine", () => {
      localStorage.setItem(key, page.version);
      notice("edition", "");
    }),
    button("Take the new one", take),
    button("Show the difference", () => {
      const title = "Your copy (−) and the new edition (+)";
      showDifference(title, cellText(context.model.toJSON()), cellText(fresh));
    }),
  );
  async function take() {
    await context.save();
    const { edits, beside } = await renew(path, fresh);
    const undo = await change(edits);
    await context.revert();
    notice(
      "edition",
      `This is the new version, with the answers of yours that passed. Your copy is ${beside}.`,
      button("Undo", async () => {
        await change(undo);
        await context.revert();
        ask();
      }),
      button("Good", () => notice("edition", "")),
    );
  }
  ask();
}

async function imported({ notice, button, restart }) {
  const cells = waiting(await all());
  if (!cells.size) return notice("imported", "");
  notice(
    "imported",
    sentence(cells),
    button("Look at it", () => look(cells)),
    button("Put it in force", async () => {
      await accept();
      notice("imported", "");
      await restart();
    }),
    button("Not now", () => notice("imported", "")),
  );
}

// A cell that takes long, and how to end it: JupyterLab's stop button and its keys ask the kernel,
// and what a kernel in the tab can hear goes by the service worker (lite/interrupt.mjs).
function running(panel, { notice, button, restart, python }) {
  const { sessionContext } = panel;
  let since = null; // when the cell began
  let asked = null; // when it was asked to stop
  const tell = (stop) => navigator.serviceWorker?.controller?.postMessage({ python: python(), stop });
  const hush = () => notice("kernel", "");
  const again = () => {
    hush();
    return restart();
  };
  const stop = () => {
    asked = Date.now();
    hush();
    tell(true);
  };
  const connect = () => {
    const kernel = sessionContext.session?.kernel;
    if (kernel) kernel.interrupt = async () => kernel.status === "busy" && stop();
  };
  sessionContext.kernelChanged.connect(connect);
  connect();
  const show = (text, ...more) => notice("kernel", text, ...more, button("Restart", again));
  setInterval(() => {
    const now = Date.now();
    if (asked && now - asked > UNHEARD * 1000 && now - asked < (UNHEARD + 2) * 1000) {
      show("Python is inside one long step and has not heard it yet. It stops when that step ends.");
    }
    if (asked || !since || now - since < LONG * 1000 || now - since > (LONG + 2) * 1000) return;
    show(
      `A cell has been running for ${LONG} seconds. Stop ends it, and variables stay; if that does not ` +
        "help, restart Python: your notebook and your saved code stay, variables go.",
      button("Stop", stop),
      button("Let it run", hush),
    );
  }, 1000);
  const follow = () => {
    const busy = sessionContext.session?.kernel?.status === "busy";
    if (busy) return void (since ??= Date.now());
    if (asked) tell(false); // it ended by itself: the next one is not meant
    since = asked = null;
    hush();
  };
  sessionContext.statusChanged.connect(follow);
  follow();
}
