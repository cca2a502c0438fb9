// Back to the start: an exercise, a module, everything. What is taken away goes to history/.
import { FOLDER, free, HISTORY, PROGRESS, record, stamp, text } from "./store.js";
import { join, parse, split } from "./work.js";

// The edits that take exercises back: their sections, what is noted of them, and their cells.
// `served` gives the site's own text of a notebook, or null. `whole`: the notebooks go as a whole.
export async function reset(ids, notebooks, here, served, whole = false) {
  const edits = new Map();
  const now = stamp();
  const taken = (path) => here.has(path) || edits.has(path);
  const keep = (name, data) => {
    const path = free(`${HISTORY}/${name}`, taken);
    edits.set(path, record(path, data));
  };
  const wanted = new Set(ids);
  for (const file of new Set(ids.map((id) => id.split(".")[0]))) {
    const path = `${FOLDER}/${file}.py`;
    const mine = here.get(path);
    if (!mine) continue;
    const work = split(text(mine));
    const gone = [...work.sections].filter(([id]) => wanted.has(id));
    for (const [id, cell] of gone) {
      keep(`${id} ${now}.py`, cell);
      work.sections.delete(id);
    }
    if (gone.length) edits.set(path, record(path, join(work), mine));
  }
  const noted = here.get(PROGRESS) && parse(text(here.get(PROGRESS)));
  if (noted && ids.some((id) => id in noted.exercises)) {
    keep(`progress ${now}.json`, text(here.get(PROGRESS)));
    for (const id of ids) delete noted.exercises[id];
    edits.set(PROGRESS, record(PROGRESS, JSON.stringify(noted, null, 1), here.get(PROGRESS)));
  }
  for (const path of notebooks) {
    const mine = here.get(path);
    if (!mine) continue;
    if (whole) {
      keep(`${path.replace(/\.ipynb$/, "")} ${now}.ipynb`, text(mine));
      edits.set(path, null);
      continue;
    }
    const fresh = await served(path);
    const stubs = new Map(fresh?.cells.map((cell) => [exercise(cell), cell]) ?? []);
    const content = structuredClone(mine.content);
    for (const cell of content.cells) {
      const id = exercise(cell);
      if (!wanted.has(id) || !stubs.has(id)) continue;
      const source = source_of(cell);
      if (source !== source_of(stubs.get(id))) keep(`${id} cell ${now}.py`, source);
      Object.assign(cell, { source: stubs.get(id).source, outputs: [], execution_count: null });
    }
    edits.set(path, record(path, JSON.stringify(content), mine));
  }
  return edits;
}

const exercise = (cell) => cell.metadata?.tinytorch?.exercise;
const source_of = (cell) => [cell.source].flat().join("");
