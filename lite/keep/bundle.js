// All of a student's work as one zip, and back: what `python -m tinytorch export` writes and
// `import` reads. `my_tinytorch/` is the student's folder, `notebooks/` what else is on the drive,
// `package/` an installable tinytorch with the student's functions, which is not read back.
import { strToU8, unzipSync, zipSync } from "./fflate.js";
import { hold, owns, runs } from "./accept.js";
import { bytes, folder, FOLDER, free, HISTORY, IMPORTED, PROGRESS, record, stamp, text } from "./store.js";
import { join, mergeProgress, split } from "./work.js";

// Far more than a student writes: a zip above these is not an export.
const LIMITS = { zip: 100e6, total: 300e6, files: 5000 };
const BESIDE = "notebooks/";

const PACKAGE = "package/";

// `built`: the files of the installable package, a Map of path -> bytes, if it comes along.
export function pack(records, built = new Map()) {
  const entries = {};
  for (const [path, file] of [...records].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (file.type === "directory" || path === `${FOLDER}.zip` || path === IMPORTED) continue;
    const time = new Date(file.last_modified);
    const mtime = time.getFullYear() >= 1980 && time.getFullYear() < 2100 ? time : new Date();
    const name = path.startsWith(`${FOLDER}/`) ? path : BESIDE + path;
    entries[name] = [bytes(file), { mtime }];
  }
  for (const [path, content] of built) entries[PACKAGE + path] = content;
  if (!Object.keys(entries).length) entries[`${FOLDER}/README.txt`] = strToU8("Nothing yet.\n");
  return zipSync(entries);
}

// The files of the package, made by a Python of its own. Raises Error, in words, where that fails.
export async function buildPackage(records) {
  const mine = [...records].filter(([path, { type }]) => type !== "directory" && path.startsWith(`${FOLDER}/`));
  const worker = new Worker(new URL("../pyodide/package.mjs", import.meta.url), { type: "module" });
  try {
    const { files, trouble } = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message || "Python did not start"));
      worker.postMessage(new Map(mine.map(([path, file]) => [path, bytes(file)])));
    });
    if (trouble) throw new Error(trouble);
    return files;
  } catch (error) {
    throw new Error(`The package could not be made: ${error.message}. “Export everything” needs no Python.`);
  } finally {
    worker.terminate();
  }
}

// The files of a zip, path on the drive -> bytes. Raises Error, in words, for any but an export.
export function unpack(zip) {
  const MB = (size) => `${Math.round(size / 1e6)} MB`;
  if (zip.length > LIMITS.zip) {
    throw new Error(`This zip has ${MB(zip.length)}; an export has at most ${MB(LIMITS.zip)}.`);
  }
  let total = 0;
  let count = 0;
  const wanted = ({ name, originalSize }) => {
    check(name);
    if (`${name}/`.startsWith(`${IMPORTED}/`)) return false; // what waits here is not for a zip to say
    if (name.endsWith("/") || !(name.startsWith(`${FOLDER}/`) || name.startsWith(BESIDE))) return false;
    total += originalSize;
    count += 1;
    if (total > LIMITS.total) throw new Error(`Unpacked, this zip has over ${MB(LIMITS.total)}.`);
    if (count > LIMITS.files) throw new Error(`This zip has over ${LIMITS.files} files.`);
    return true;
  };
  let files;
  try {
    files = unzipSync(zip, { filter: wanted });
  } catch (error) {
    if (error.code === undefined) throw error; // ours
    throw new Error(`This file cannot be read as a zip (${error.message}).`);
  }
  const found = Object.entries(files).map(([name, data]) => [name.replace(BESIDE_START, ""), data]);
  if (!found.length) throw new Error(`This zip holds no ${FOLDER} folder: it is not an export.`);
  for (const [path] of found) {
    if (path === FOLDER) throw new Error(`${path} must be a folder.`);
  }
  return new Map(found);
}
const BESIDE_START = new RegExp(`^${BESIDE}`);

function check(name) {
  const parts = name.replace(/\/$/, "").split("/");
  const odd = (part) => part === "" || part === "." || part === ".." || part.length > 200;
  if (parts.some(odd) || /^\w:|[\\\u0000-\u001f\u007f]/.test(name)) {
    throw new Error(`This zip names a file outside its folder (${JSON.stringify(name)}): refused.`);
  }
}

// What importing would do. `prefer` says whose stands where both have one: "zip" or "here"; the
// other is kept in history/, a notebook under a number. Code that comes in waits: see accept.js.
// -> {edits, added, same, conflicts}
export function plan(incoming, here, prefer = "zip") {
  const edits = new Map();
  const told = { added: [], same: [], conflicts: [] };
  const held = [];
  const holds = (path, id) => owns(path, id) && held.push(id);
  const taken = (path) => here.has(path) || edits.has(path) || incoming.has(path);
  // `imported` stays with the record: its outputs are not trusted, see notebook.js.
  const put = (path, data, imported = true) =>
    edits.set(path, { ...record(path, data, here.get(path)), imported });
  const history = (name, data) => put(free(`${HISTORY}/${name}`, taken), data);
  for (const [path, data] of incoming) {
    const mine = here.get(path);
    if (!mine || mine.type === "directory") {
      put(path, data);
      told.added.push(path);
      if (runs(path)) for (const id of cellsOf(data).keys()) holds(path, id);
    } else if (equal(bytes(mine), bytes(record(path, data)))) {
      told.same.push(path);
    } else if (path === PROGRESS) {
      const merged = mergeProgress(text(mine), new TextDecoder().decode(data));
      if (merged) put(path, merged);
      else history("progress.json", data);
    } else if (runs(path)) {
      const ours = split(text(mine));
      for (const [id, cell] of cellsOf(data)) {
        const before = ours.sections.get(id);
        if (before === cell) continue;
        if (before === undefined) told.added.push(id);
        else {
          told.conflicts.push(id);
          history(`${id} ${stamp()}.py`, prefer === "zip" ? before : cell);
        }
        if (before !== undefined && prefer !== "zip") continue;
        ours.sections.set(id, cell);
        holds(path, id);
      }
      put(path, join(ours));
    } else if (path.startsWith(`${FOLDER}/`)) {
      put(free(path, taken), data);
      told.added.push(path);
    } else {
      told.conflicts.push(path);
      const beside = free(path, taken);
      put(beside, prefer === "zip" ? bytes(mine) : data, prefer !== "zip" || mine.imported);
      if (prefer === "zip") put(path, data);
    }
  }
  if (held.length) edits.set(IMPORTED, hold(held, here));
  for (const path of [...edits.keys()]) {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      const parent = path.slice(0, at);
      if (!here.has(parent) && !edits.has(parent)) edits.set(parent, folder(parent));
    }
  }
  return { edits, ...told };
}

const cellsOf = (data) => split(new TextDecoder().decode(data)).sections;
const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
