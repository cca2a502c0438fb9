// What came out of a zip waits: none of its code runs before the student accepts it. The sections that
// wait are listed in `imported.json`, which tinytorch/course/work.py reads and writes too.
import { showDifference } from "./edition.js";
import { change, FOLDER, IMPORTED, record, text } from "./store.js";
import { split } from "./work.js";

// The student's files of sections, which run when a notebook starts.
export const runs = (path) => /^\w+\/\w+\.py$/.test(path) && path.startsWith(`${FOLDER}/`);

// A section runs from the file of its own name only: see in_force in tinytorch/course/work.py.
export const owns = (path, id) => path === `${FOLDER}/${id.split(".")[0]}.py`;

// The cells that wait, id -> text. A list that cannot be read lets nothing run.
export function waiting(here) {
  if (!here.has(IMPORTED)) return new Map();
  const ids = listed(text(here.get(IMPORTED)));
  const files = [...here].filter(([path, { type }]) => runs(path) && type !== "directory");
  const cells = files.flatMap(([path, file]) =>
    [...split(text(file)).sections].filter(([id]) => owns(path, id)));
  return new Map(cells.filter(([id]) => !ids || ids.has(id)));
}

function listed(json) {
  try {
    const ids = JSON.parse(json);
    const good = Array.isArray(ids) && ids.every((id) => typeof id === "string");
    return good ? new Set(ids) : null;
  } catch {
    return null;
  }
}

// The record that makes these sections wait, too.
export function hold(ids, here) {
  const all = new Set([...waiting(here).keys(), ...ids]);
  return record(IMPORTED, JSON.stringify([...all].sort()), here.get(IMPORTED));
}

export const accept = () => change(new Map([[IMPORTED, null]]));

// In words: how many wait, and what that means.
export function sentence(cells) {
  const [what, it] = cells.size === 1 ? ["function has", "it"] : ["functions have", "them"];
  return `${cells.size} imported ${what} not run here: the reference stands in for ${it}.`;
}

export function look(cells) {
  const listing = [...cells].map(([id, cell]) => `# ${id}\n\n${cell}`).join("\n");
  showDifference("Imported, not in force", "", listing);
}
