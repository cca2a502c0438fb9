// node compile.mjs PYODIDE_FOLDER WORK_FOLDER: runs compile.py in Pyodide over WORK_FOLDER/jobs.json.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [pyodideFolder, workFolder] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(pyodideFolder, "pyodide.mjs")));
const pyodide = await loadPyodide({ indexURL: pyodideFolder });
pyodide.mountNodeFS("/jobs", workFolder);
const here = dirname(fileURLToPath(import.meta.url));
pyodide.runPython(readFileSync(join(here, "compile.py"), "utf8"));
