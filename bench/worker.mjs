// Pyodide in a worker, as a notebook's kernel has it. One request at a time goes round: it carries
// the last answer to the test server and comes back with the next piece of Python to run.
const turn = async (answer) => {
  const reply = await fetch("/turn", { method: "POST", body: JSON.stringify(answer) });
  return reply.json();
};

const start = async () => {
  const { packages, archives } = await (await fetch("/setup")).json();
  const { loadPyodide } = await import("/pyodide/pyodide.mjs");
  globalThis.pyodide = await loadPyodide({ indexURL: "/pyodide/" });
  await pyodide.loadPackage(packages, { messageCallback: () => {} });
  const extractDir = pyodide.runPython("import site; site.getsitepackages()[0]");
  for (const name of archives) {
    const data = await (await fetch(`/archives/${name}`)).arrayBuffer();
    pyodide.unpackArchive(data, "zip", { extractDir });
  }
  pyodide.runPython("import importlib; importlib.invalidate_caches()");
  return { value: navigator.userAgent };
};

const run = async ({ source, args }) => {
  const json = pyodide.pyimport("json");
  const scope = (globalThis.scope ??= pyodide.toPy({}));
  scope.set("args", json.loads(JSON.stringify(args)));
  const value = await pyodide.runPythonAsync(source, { globals: scope });
  return { value: value?.destroy ? JSON.parse(json.dumps(value)) : value ?? null };
};

let answer = await start().catch((e) => ({ error: String(e.stack ?? e) }));
for (;;) {
  const call = await turn(answer);
  if (call.close) break;
  answer = await run(call).catch((e) => ({ error: String(e.message ?? e) }));
}
