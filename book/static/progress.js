// The student's progress, read from where the live notebooks keep their files, and handed to
// whatever shows it: marks.js on every page, journey.js on the pages about the whole course.
//
// The record is written by tinytorch/course/work.py as my_tinytorch/progress.json. JupyterLite keeps
// files in IndexedDB; nothing is created here when it is not there yet.
(() => {
  const DATABASE = "tinytorch"; // contentsStorageName in lite/jupyter-lite.json
  const STORE = "files";
  const KEY = "my_tinytorch/progress.json";
  const course = window.tinytorchCourse;
  const watchers = [];
  let now = null;

  function read() {
    return new Promise((resolve) => {
      let request;
      try {
        request = indexedDB.open(DATABASE);
      } catch {
        return resolve(null); // storage is switched off
      }
      request.onupgradeneeded = () => request.transaction.abort(); // not there: leave it so
      request.onerror = (event) => {
        event.preventDefault();
        resolve(null);
      };
      request.onsuccess = () => {
        const db = request.result;
        const done = (value) => {
          db.close(); // an open connection would hold up JupyterLite
          resolve(value);
        };
        if (!db.objectStoreNames.contains(STORE)) return done(null);
        const get = db.transaction(STORE).objectStore(STORE).get(KEY);
        get.onsuccess = () => done(get.result ?? null);
        get.onerror = () => done(null);
      };
    });
  }

  // A contents model, its content, or text -> the record; null for anything else.
  function parse(value) {
    try {
      if (value && value.content !== undefined) {
        value = value.format === "base64" ? atob(value.content) : value.content;
      }
      if (typeof value === "string") value = JSON.parse(value);
      return value && typeof value.exercises === "object" ? value : null;
    } catch {
      return null; // damaged: the notebook will set it aside and say so
    }
  }

  // The record, and what follows from it: how far each module is, and where to go on.
  function digest(record) {
    const exercises = record?.exercises ?? {};
    const passed = (id) => Boolean(exercises[id]?.passed);
    let last = null;
    let when = "";
    const modules = course.modules.map((module) => {
      const total = module.exercises.length;
      const built = module.exercises.filter((e) => passed(e.id)).length;
      for (const e of module.exercises) {
        const at = exercises[e.id]?.passed ?? (exercises[e.id] ? "0" : "");
        if (at > when) [when, last] = [at, module];
      }
      return { ...module, total, built, complete: total > 0 && built === total };
    });
    // The first exercise not yet built, from the module worked on last.
    const from = last ? modules.findIndex((m) => m.id === last.id) : -1;
    const open = (m) => !m.complete;
    const module = from < 0 ? null : modules.slice(from).find(open) ?? modules.find(open) ?? null;
    const exercise = module?.exercises.find((e) => !passed(e.id)) ?? null;
    const milestones = record?.milestones ?? {};
    // A milestone whose acts are built comes first, until it was reached or a later act is begun.
    const due = course.milestones.find(({ name, after }) => {
      const unlocked = course.complete.includes(after) && modules.every((m) => m.act > after || m.complete);
      return unlocked && !milestones[name] && !modules.some((m) => m.act > after && m.built);
    });
    return { begun: from >= 0, modules, passed, milestones, here: last && modules[from], module, exercise, due };
  }

  function tell(record) {
    now = digest(record);
    for (const watch of watchers) watch(now);
  }

  // watch(state) is called with the state as it is, and whenever it changes.
  window.tinytorchProgress = (watch) => {
    watchers.push(watch);
    if (now) watch(now);
  };

  const refresh = async () => tell(parse(await read()));
  refresh();
  addEventListener("pageshow", (event) => event.persisted && refresh());
  if ("BroadcastChannel" in window) {
    new BroadcastChannel("tinytorch-progress").onmessage = ({ data }) => {
      const record = parse(data);
      if (record) tell(record);
    };
  }
})();
