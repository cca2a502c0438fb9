// The student's files, as tinytorch/course/work.py writes them: sections under `# %% tensor.cat`,
// and the record of what passed. A test holds the two against each other.

const MARK = /^# %% ([a-z_0-9]+(?:\.\w+)+)[ \t]*$/gm;

// {head, sections}: the text before the first section, and a Map of id -> cell.
export function split(text) {
  const marks = [...text.matchAll(MARK)];
  const sections = new Map();
  marks.forEach((mark, i) => {
    const body = text.slice(mark.index + mark[0].length, marks[i + 1]?.index ?? text.length);
    sections.set(mark[1], `${body.replace(/^\n+|\n+$/g, "")}\n`);
  });
  return { head: `${text.slice(0, marks[0]?.index ?? text.length).trimEnd()}\n`, sections };
}

export function join({ head, sections }) {
  return [head, ...[...sections].map(([id, cell]) => `# %% ${id}\n${cell}`)].join("\n\n");
}

// Two records in one: an exercise passed in either is passed. null where a text is no record.
export function mergeProgress(mine, other) {
  const [data, more] = [parse(mine), parse(other)];
  if (!data || !more) return null;
  for (const part of ["exercises", "milestones"]) {
    data[part] ??= {};
    for (const [id, entry] of Object.entries(more[part] ?? {})) {
      const here = data[part][id];
      if (!here || (entry.passed && !here.passed) || (entry.best ?? 0) > (here.best ?? 0)) {
        data[part][id] = entry;
      }
    }
  }
  return JSON.stringify(data, null, 1);
}

export function parse(text) {
  try {
    const data = JSON.parse(text);
    const entries = [data.exercises, data.milestones ?? {}].flatMap((part) => Object.values(part));
    return entries.every((entry) => entry && typeof entry === "object") ? data : null;
  } catch {
    return null;
  }
}
