// The student's progress, shown on the pages: read from where the live notebooks keep their files.
//
// The record is written by tinytorch/course/work.py as my_tinytorch/progress.json. JupyterLite keeps
// files in IndexedDB; nothing is created here when it is not there yet.
(() => {
  const DATABASE = "tinytorch"; // contentsStorageName in lite/jupyter-lite.json
  const STORE = "files";
  const KEY = "my_tinytorch/progress.json";
  const course = window.tinytorchCourse || [];
  const root = document.documentElement.dataset.content_root || "./";

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

  const each = (selector, fn) => document.querySelectorAll(selector).forEach(fn);

  function tick(element, done) {
    element.classList.toggle("tt-done", done);
    const mark = element.querySelector(".tt-tick");
    if (mark) mark.hidden = !done;
  }

  function show(record) {
    const exercises = record?.exercises ?? {};
    const milestones = record?.milestones ?? {};
    const passed = (id) => Boolean(exercises[id]?.passed);

    each("section.exercise", (card) => tick(card, passed(card.dataset.exercise)));
    each("[data-milestone]", (item) => tick(item, Boolean(milestones[item.dataset.milestone])));
    for (const module of course) {
      const total = module.exercises.length;
      const built = module.exercises.filter((e) => passed(e.id)).length;
      each(`li[data-module="${module.id}"]`, (item) => {
        tick(item, total > 0 && built === total);
        item.classList.toggle("tt-begun", built > 0 && built < total);
      });
      each(`.tt-progress[data-module="${module.id}"]`, (bar) => {
        bar.hidden = built === 0;
        bar.querySelector("progress").value = built;
        bar.querySelector("b").textContent = built;
      });
    }
    each(".tt-continue", (link) => offer(link, exercises, passed));
  }

  // The way back: to the first exercise not yet built in the module worked on last.
  function offer(link, exercises, passed) {
    let last = null;
    let when = "";
    for (const module of course) {
      for (const e of module.exercises) {
        const at = exercises[e.id]?.passed ?? (exercises[e.id] ? "0" : "");
        if (at > when) [when, last] = [at, module];
      }
    }
    const from = last ? course.indexOf(last) : -1;
    const open = (module) => module.exercises.find((e) => !passed(e.id));
    const next = from < 0 ? null : course.slice(from).find(open) ?? course.find(open);
    link.hidden = !next;
    if (!next) return;
    const exercise = open(next);
    link.href = `${root}${next.url}#ex-${exercise.id.replaceAll(".", "-")}`;
    link.textContent = `Continue where you stopped: ${next.title}, ${exercise.title.toLowerCase()}`;
  }

  const refresh = async () => show(parse(await read()));
  refresh();
  addEventListener("pageshow", (event) => event.persisted && refresh());
  if ("BroadcastChannel" in window) {
    new BroadcastChannel("tinytorch-progress").onmessage = ({ data }) => {
      const record = parse(data);
      if (record) show(record);
    };
  }
})();
