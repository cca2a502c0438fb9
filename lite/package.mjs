// The installable package of an export: Python puts the student's functions into the framework's own
// files (tinytorch/course/export.py). It is a Python of its own, for the notebook's may be busy, or
// stopped, or there may be no notebook. It only reads what the student wrote, and runs none of it.
//
// Told the files of the student's folder, a Map of path -> bytes; answers with those of the package,
// or with the reason why there is none.
import { missing } from "./arrival.mjs";
import { loadPyodide } from "./pyodide.mjs";

const BASE = new URL("./", import.meta.url).href;
const HOME = "/work";

async function build(files) {
  const pyodide = await loadPyodide({
    indexURL: BASE,
    packageBaseUrl: BASE,
    stdLibURL: `${BASE}python.zip`,
    stdout: () => {},
    stderr: () => {},
  });
  await pyodide.loadPackage("tinytorch", { messageCallback: () => {} });
  pyodide.runPython("from tinytorch.course.export import package");
  pyodide.FS.mkdirTree(HOME);
  for (const [path, content] of files) {
    const target = `${HOME}/${path}`;
    pyodide.FS.mkdirTree(target.slice(0, target.lastIndexOf("/")));
    pyodide.FS.writeFile(target, content);
  }
  pyodide.FS.chdir(HOME);
  return pyodide.runPython("package()").toJs({ dict_converter: (entries) => new Map(entries) });
}

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ files: await Promise.race([build(data), missing]) });
  } catch (error) {
    console.error(error);
    const lines = String(error?.message ?? error).trim().split("\n");
    self.postMessage({ trouble: lines[lines.length - 1] });
  }
};
