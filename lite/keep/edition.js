// A notebook of which the site has a newer edition: the student's copy stays until they say otherwise.
import { all, change, FOLDER, free, record, text } from "./store.js";
import { split } from "./work.js";

// Python's json.dumps(value, sort_keys=True): what book/notebook.py takes the hash of.
function dumps(value) {
  if (Array.isArray(value)) return `[${value.map(dumps).join(", ")}]`;
  if (value && typeof value === "object") {
    const pairs = Object.keys(value).sort().map((key) => `${dumps(key)}: ${dumps(value[key])}`);
    return `{${pairs.join(", ")}}`;
  }
  const escape = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, escape);
}

const sourceOf = (cell) => [cell.source].flat().join("");

// Whether a copy still says what its edition said, and nothing was run in it.
export async function untouched({ cells, metadata }) {
  const version = metadata?.tinytorch?.version;
  if (!version || cells.some((cell) => cell.outputs?.length)) return false;
  const said = cells.map((cell) => {
    const { trusted, ...rest } = cell.metadata ?? {};
    return [cell.cell_type, sourceOf(cell), rest];
  });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(dumps(said)));
  const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.startsWith(version);
}

// Copies that were only ever opened give way to the new edition without a question.
export async function refresh(pages) {
  const edits = new Map();
  for (const [path, { content }] of await all()) {
    const version = pages[path]?.version;
    const mine = content?.metadata?.tinytorch?.version;
    if (version && mine && mine !== version && (await untouched(content))) edits.set(path, null);
  }
  if (edits.size) await change(edits);
  return edits;
}

// The new edition in place of the copy, with the student's saved answers in its cells; the copy is
// kept beside it. -> {edits, beside}
export async function renew(path, fresh) {
  const here = await all();
  const mine = here.get(path);
  const beside = free(path.replace(/\.ipynb$/, ".mine.ipynb"), (name) => here.has(name));
  const content = structuredClone(fresh);
  for (const cell of content.cells) {
    const id = cell.metadata?.tinytorch?.exercise;
    const saved = id && here.get(`${FOLDER}/${id.split(".")[0]}.py`);
    cell.source = (saved && split(text(saved)).sections.get(id)?.trimEnd()) ?? cell.source;
  }
  const edits = new Map([[path, record(path, JSON.stringify(content), mine)]]);
  if (mine) edits.set(beside, { ...mine, path: beside, name: beside });
  return { edits, beside };
}

// Lines of two texts: [mark, line], mark " " both, "-" only the first, "+" only the second.
export function differences(a, b) {
  const [x, y] = [a.split("\n"), b.split("\n")];
  const common = Array.from({ length: x.length + 1 }, () => new Uint16Array(y.length + 1));
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = y.length - 1; j >= 0; j--) {
      common[i][j] = x[i] === y[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const lines = [];
  let [i, j] = [0, 0];
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      lines.push([" ", x[i++]]);
      j++;
    } else if (j >= y.length || (i < x.length && common[i + 1][j] >= common[i][j + 1])) {
      lines.push(["-", x[i++]]);
    } else lines.push(["+", y[j++]]);
  }
  return lines;
}

// A dialog with what differs between two texts, two lines around each change.
export function showDifference(title, mine, other) {
  const lines = differences(mine, other);
  const near = (at) => lines.slice(Math.max(0, at - 2), at + 3).some(([mark]) => mark !== " ");
  const dialog = document.createElement("dialog");
  dialog.className = "tt-keep keep-wide";
  dialog.setAttribute("aria-label", "What differs");
  const head = document.createElement("header");
  const heading = document.createElement("h2");
  heading.textContent = title;
  const close = document.createElement("button");
  close.textContent = "Close";
  close.onclick = () => dialog.close();
  head.append(heading, close);
  const pre = document.createElement("pre");
  pre.tabIndex = 0;
  let gap = false;
  lines.forEach(([mark, line], at) => {
    if (!near(at)) return void (gap = true);
    if (gap && pre.childNodes.length) pre.append(document.createElement("hr"));
    gap = false;
    const row = document.createElement(mark === "+" ? "ins" : mark === "-" ? "del" : "span");
    row.textContent = `${mark === "-" ? "−" : mark} ${line}`;
    pre.append(row);
  });
  if (!pre.childNodes.length) pre.textContent = "Both say the same.";
  dialog.append(head, pre);
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

// What a notebook's cells say, without their outputs.
export const cellText = ({ cells = [] }) => cells.map(sourceOf).join("\n\n");
