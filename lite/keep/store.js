// The browser's storage of this site, as JupyterLite keeps it: one record for each file.
//
// Reads and writes it directly, so that work can be saved elsewhere when Python, or JupyterLab, does
// not start. A record is a contents model: {name, path, type, format, mimetype, content, size, …}.

export const DATABASE = "tinytorch"; // contentsStorageName in lite/jupyter-lite.json
export const FOLDER = "my_tinytorch"; // FOLDER in tinytorch/course/work.py
export const HISTORY = `${FOLDER}/history`;
export const PROGRESS = `${FOLDER}/progress.json`;
export const IMPORTED = `${FOLDER}/imported.json`; // IMPORTED in tinytorch/course/work.py
const STORE = "files";

function connect(create) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE);
    request.onupgradeneeded = () => {
      if (create) request.result.createObjectStore(STORE); // JupyterLite adds its others to it
      else request.transaction.abort(); // not there: leave it so
    };
    request.onerror = (event) => {
      event.preventDefault();
      create ? reject(request.error) : resolve(null);
    };
    request.onsuccess = () => {
      const database = request.result;
      database.onversionchange = () => database.close(); // an open connection holds up JupyterLite
      if (database.objectStoreNames.contains(STORE)) return resolve(database);
      database.close();
      create ? reject(new Error("the browser's storage is not JupyterLite's")) : resolve(null);
    };
  });
}

function ended(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new Error("the browser gave up saving"));
  });
}

// Every file, path -> record. Nothing is created where there is nothing.
export async function all() {
  const database = await connect(false);
  if (!database) return new Map();
  try {
    const store = database.transaction(STORE).objectStore(STORE);
    const records = store.getAll();
    const keys = store.getAllKeys();
    await ended(store.transaction);
    return new Map(keys.result.map((key, i) => [key, records.result[i]]));
  } finally {
    database.close();
  }
}

// Write all of `edits`, path -> record or null (gone), or none. Resolves to the edits that undo it.
export async function change(edits) {
  const database = await connect(true);
  try {
    const transaction = database.transaction(STORE, "readwrite");
    const store = transaction.objectStore(STORE);
    const before = new Map();
    for (const [path, record] of edits) {
      store.get(path).onsuccess = ({ target }) => before.set(path, target.result ?? null);
      record === null ? store.delete(path) : store.put(record, path);
    }
    await ended(transaction);
    announce(edits);
    return before;
  } finally {
    database.close();
  }
}

// Pages and notebooks redraw what they show, as after tinytorch/course/work.py has written.
function announce(edits) {
  if (!edits.has(PROGRESS)) return;
  const channel = new BroadcastChannel("tinytorch-progress");
  const record = edits.get(PROGRESS);
  channel.postMessage(record ? text(record) : '{"exercises": {}}');
  channel.close();
}

// Bytes

const KINDS = {
  py: ["file", "text/x-python"],
  json: ["file", "application/json"],
  ipynb: ["notebook", "application/json"],
};

export function bytes(record) {
  const { format, content } = record;
  if (content === null || content === undefined) return new Uint8Array();
  if (format === "base64") return Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  if (typeof content === "string") return new TextEncoder().encode(content);
  return new TextEncoder().encode(`${JSON.stringify(plain(content), null, 1)}\n`);
}

export const text = (record) => new TextDecoder().decode(bytes(record));

// Whether a cell's output may run scripts is this browser's business: it does not travel.
export function plain(content) {
  if (!Array.isArray(content?.cells)) return content;
  const cells = content.cells.map((cell) => {
    if (cell.metadata?.trusted === undefined) return cell;
    const { trusted, ...metadata } = cell.metadata;
    return { ...cell, metadata };
  });
  return { ...content, cells };
}

// The record of a file. Raises SyntaxError for a notebook that is not JSON.
export function record(path, data, before = null, when = new Date()) {
  const raw = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const name = path.split("/").pop();
  const [type, mimetype] = KINDS[name.split(".").pop()] ?? ["file", "application/octet-stream"];
  const notebook = type === "notebook";
  const time = when.toISOString();
  return {
    ...{ name, path, type, mimetype, writable: true, size: raw.length },
    ...{ created: before?.created ?? time, last_modified: time },
    format: notebook ? "json" : "base64",
    content: notebook ? plain(JSON.parse(new TextDecoder().decode(raw))) : base64(raw),
  };
}

export function folder(path) {
  const time = new Date().toISOString();
  return {
    ...{ name: path.split("/").pop(), path, type: "directory", mimetype: "", writable: true },
    ...{ created: time, last_modified: time, format: "json", content: null, size: 0 },
  };
}

function base64(raw) {
  let binary = "";
  for (let at = 0; at < raw.length; at += 0x8000) {
    binary += String.fromCharCode(...raw.subarray(at, at + 0x8000));
  }
  return btoa(binary);
}

// A path that is free: `a.ipynb`, else `a.2.ipynb`, `a.3.ipynb`, …
export function free(path, taken) {
  const [, stem, ending] = path.match(/^(.*?)((?:\.\w+)?)$/);
  for (let n = 1; ; n++) {
    const tried = n === 1 ? path : `${stem}.${n}${ending}`;
    if (!taken(tried)) return tried;
  }
}

export const stamp = () => new Date().toISOString().replace(/\.\d+Z$/, "Z").replaceAll(":", "");
