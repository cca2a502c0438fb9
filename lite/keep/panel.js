// "Your work": what this browser keeps of the site, to take elsewhere, bring back, or begin again.
//
// One dialog for the book's pages and the live notebook: `show({notebook})`. A notebook that is open
// saves itself before and reads itself again after (see notebook.js).
import { accept, look, sentence, waiting } from "./accept.js";
import { buildPackage, pack, plan, unpack } from "./bundle.js";
import { cellText, showDifference } from "./edition.js";
import { reset } from "./reset.js";
import { all, change, FOLDER, PROGRESS, text } from "./store.js";
import { parse } from "./work.js";

const SITE = new URL("../../../", import.meta.url).href; // from lite/static/keep/
const LITE = `${SITE}lite/`;
let dialog = null;
let open = null; // what the open notebook can do: {path, save(), reload(), restart()}

function make(tag, props = {}, ...children) {
  const element = Object.assign(document.createElement(tag), props);
  element.append(...children.flat().filter((child) => child !== null));
  return element;
}
const button = (words, onclick, label) => {
  const made = make("button", { type: "button", textContent: words, onclick });
  if (label) made.setAttribute("aria-label", label);
  return made;
};
export const size = (bytes) => {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${Math.max(1, Math.round(bytes / 1e3))} KB`;
};
const count = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;

async function course() {
  if (!window.tinytorchCourse) {
    await new Promise((resolve) => {
      const script = make("script", { src: `${SITE}_static/course.js` });
      script.onload = script.onerror = resolve;
      document.head.append(script);
    });
  }
  return window.tinytorchCourse?.modules ?? [];
}

export async function served(path) {
  const response = await fetch(`${LITE}files/${path}`, { cache: "no-cache" });
  return response.ok ? response.json() : null;
}

// Everything as one zip, handed to the browser to save. Needs neither Python nor JupyterLab, unless
// the package comes along.
export async function exportAll({ withPackage = false } = {}) {
  const records = await all();
  const built = withPackage ? await buildPackage(records) : new Map();
  const zip = new Blob([pack(records, built)], { type: "application/zip" });
  const name = `my_tinytorch ${new Date().toISOString().slice(0, 10)}.zip`;
  const link = make("a", { href: URL.createObjectURL(zip), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return name;
}

// The dialog

function say(words, ...actions) {
  dialog.querySelector(".keep-said").replaceChildren(make("p", {}, words, ...actions));
}

function ask(words, yes, act) {
  const no = button("Leave it as it is", () => say(""));
  say(words, make("span", { className: "keep-answers" }, button(yes, act), no));
  dialog.querySelector(".keep-said button").focus();
}

// Make edits, tell what was done, and offer to undo it for as long as the dialog is open.
async function apply(edits, words) {
  try {
    const undo = await change(edits);
    await open?.reload();
    await draw();
    const back = async () => {
      await change(undo);
      await open?.reload();
      await draw();
      say("Undone: everything is as it was before.");
    };
    say(words, button("Undo", guarded(back)));
  } catch (error) {
    console.error(error);
    const full = error?.name === "QuotaExceededError";
    say(full ? "There is no room in this browser for that. Nothing was changed."
      : `That could not be saved (${error?.message ?? error}). Nothing was changed.`);
  }
}

const guarded = (act) => async (...args) => {
  try {
    await act(...args);
  } catch (error) {
    console.error(error);
    say(error?.message ?? String(error));
  }
};

async function doExport() {
  await open?.save().catch(() => {}); // what cannot be saved is exported from what was
  const name = await exportAll();
  say(`${name} is in your downloads. “Import” brings it back, here or in any other browser.`);
}

async function doPackage() {
  say("Python is putting your functions into the framework’s files. This takes a few seconds.");
  await open?.save().catch(() => {});
  const name = await exportAll({ withPackage: true });
  say(`${name} is in your downloads. Unpacked, “pip install ./package” installs your own tinytorch.`);
}

// The code among some records, as one text: what will run, or can be run.
function code(records) {
  const parts = [...records].filter(([path, file]) => file && /\.(py|ipynb)$/.test(path));
  const said = (path, file) => (path.endsWith(".py") ? text(file) : cellText(file.content));
  return parts.filter(([path]) => !path.includes("/history/")).sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, file]) => `# ${path}\n\n${said(path, file)}`).join("\n\n");
}

async function doImport(file) {
  const incoming = unpack(new Uint8Array(await file.arrayBuffer()));
  await open?.save().catch(() => {});
  const here = await all();
  const { added, same, conflicts, edits } = plan(incoming, here);
  if (!edits.size) return say("Everything in this zip is here already.");
  const bring = (prefer) => guarded(async () => {
    const now = plan(incoming, await all(), prefer);
    const kept = now.conflicts.length ? ` ${count(now.conflicts.length, "other version")} kept.` : "";
    await apply(now.edits, `Imported: ${count(now.added.length, "new item")}.${kept}`);
  });
  const told = [
    `${file.name}: ${added.length} new, ${same.length} the same as here, ${conflicts.length} different.`,
    " Nothing of it runs before you say so.",
  ];
  if (conflicts.length) {
    told.push(" Where both have something, the other one is kept: code in history/, notebooks beside.");
  }
  const answers = [
    button(conflicts.length ? "Import, the zip’s come first" : "Bring it in", bring("zip")),
    conflicts.length ? button("Import, mine stay first", bring("here")) : null,
    button("Look at it first", guarded(() => {
      const now = [...edits.keys()].filter((path) => here.has(path)).map((path) => [path, here.get(path)]);
      showDifference("What is here now (−) and would be (+)", code(now), code(edits));
    })),
    button("Do not import", () => say("")),
  ];
  say(told.join(""), make("span", { className: "keep-answers" }, answers.filter(Boolean)));
  dialog.querySelector(".keep-said button").focus();
}

function waits(cells) {
  const yes = guarded(async () => {
    await accept();
    await open?.restart();
    await draw();
    say("It is in force: notebooks that start from now on run it.");
  });
  return make("p", { className: "keep-waits" },
    `${sentence(cells)} Put in force only what is yours, or what you trust.`,
    make("span", { className: "keep-answers" },
      button("Look at it", () => look(cells)),
      button("Put it in force", yes)));
}

function askReset(words, ids, notebooks, whole) {
  ask(`${words} Your code goes to ${FOLDER}/history.`, "Undo the import", guarded(async () => {
    await open?.save().catch(() => {});
    const edits = await reset(ids, notebooks, await all(), served, whole);
    if (!edits.size) return say("There is nothing to take back.");
    await apply(edits, `Back to the start. What was there is in ${FOLDER}/history.`);
  }));
}

async function place() {
  const line = make("p", { className: "keep-place" });
  const draw = async () => {
    const { usage = 0, quota = 0 } = (await navigator.storage?.estimate?.()) ?? {};
    const safe = await navigator.storage?.persisted?.();
    const used = `This site uses ${size(usage)} of the ${size(quota)} the browser gives it.`;
    if (safe) {
      line.replaceChildren(`Kept in this browser, on this machine. ${used} The browser has promised not to clear it by itself.`);
      return;
    }
    const ask = button("Ask it to keep it", async () => {
      const promised = await navigator.storage?.persist?.();
      await draw();
      if (!promised) say("The browser did not promise it. An exported zip is the safe copy.");
    });
    line.replaceChildren(`Kept in this browser, on this machine. ${used} The browser may clear it when the disk is full. `, ask);
  };
  await draw();
  return line;
}

function exercises(modules, here) {
  const noted = here.has(PROGRESS) ? parse(text(here.get(PROGRESS))) : null;
  const entries = noted?.exercises ?? {};
  const rows = modules.map((module) => {
    const begun = module.exercises.filter(({ id }) => id in entries);
    const touched = begun.length || here.has(module.notebook);
    if (!touched) return null;
    const passed = begun.filter(({ id }) => entries[id].passed).length;
    const ids = module.exercises.map(({ id }) => id);
    const items = begun.map(({ id, title }) => make("li", {},
      make("span", {}, `${title}${entries[id].passed ? "" : " (not passed yet)"}`),
      button("Reset", () => askReset(`Take back “${title}”?`, [id], [module.notebook], false), `Reset ${title}`),
    ));
    const summary = make("summary", {}, `${module.label} ${module.title}`.trim(),
      make("span", {}, `${passed} of ${ids.length} built`));
    const all = button("Reset this module", () => askReset(
      `Take back all of “${module.title}”, with its notebook?`, ids, [module.notebook], true,
    ));
    return make("details", { open: open?.path === module.notebook }, summary, make("ul", {}, items), make("p", {}, all));
  });
  return rows.filter(Boolean);
}

function notebooks(here) {
  const paths = [...here.keys()].filter((path) => path.endsWith(".ipynb") && !path.startsWith(FOLDER));
  return paths.sort().map((path) => {
    const link = make("a", { href: `${LITE}notebooks/index.html?path=${encodeURIComponent(path)}`, target: "_top" }, path);
    const when = new Date(here.get(path).last_modified).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    return make("li", {}, link, make("span", {}, when));
  });
}

async function draw() {
  const here = await all();
  const modules = await course();
  const files = [...here.values()].filter(({ type }) => type !== "directory");
  const rows = exercises(modules, here);
  const books = notebooks(here);
  const ids = modules.flatMap((module) => module.exercises.map(({ id }) => id));
  const everything = button("Reset everything", () => askReset(
    "Take back every exercise, and every notebook of the course?",
    ids, modules.map(({ notebook }) => notebook), true,
  ));
  const cells = waiting(here);
  dialog.querySelector(".keep-body").replaceChildren(
    ...(cells.size ? [waits(cells)] : []),
    await place(),
    ...(rows.length ? [make("h3", {}, "What you built"), ...rows] : []),
    ...(books.length ? [make("h3", {}, "Notebooks you worked in"), make("ul", {}, books)] : []),
    files.length ? make("p", { className: "keep-end" }, everything)
      : make("p", {}, "Nothing is kept yet: it begins with the first cell you change."),
  );
}

let style = null;
export function styled() {
  style ??= new Promise((resolve) => {
    const href = new URL("panel.css", import.meta.url).href;
    const link = make("link", { rel: "stylesheet", href, onload: resolve, onerror: resolve });
    document.head.append(link);
  });
  return style;
}

function build() {
  const input = make("input", { type: "file", accept: ".zip", hidden: true });
  input.onchange = () => {
    const [file] = input.files;
    if (file) guarded(doImport)(file);
    input.value = "";
  };
  dialog = make("dialog", { className: "tt-keep" },
    make("header", {}, make("h2", { id: "tt-keep-title" }, "Your work"), button("Close", () => dialog.close())),
    make("p", { className: "keep-actions" },
      button("Export everything", guarded(doExport)), button("Import", () => input.click()),
      button("Export with a Python package", guarded(doPackage)), input),
    make("div", { className: "keep-said" }),
    make("div", { className: "keep-body" }),
  );
  dialog.setAttribute("aria-labelledby", "tt-keep-title");
  dialog.querySelector(".keep-said").setAttribute("role", "status");
  dialog.addEventListener("keydown", (event) => event.stopPropagation()); // not the notebook's keys
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
}

export async function show({ notebook = null } = {}) {
  open = notebook;
  await styled();
  if (!dialog) build();
  say("");
  await draw();
  if (!dialog.open) dialog.showModal();
}
