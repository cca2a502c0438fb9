// What every page shows of the student's progress: ticks, bars, the way on. A first visitor sees none.
(() => {
  const root = document.documentElement.dataset.content_root || "./";
  const each = (selector, fn) => document.querySelectorAll(selector).forEach(fn);

  function tick(element, done) {
    element.classList.toggle("tt-done", done);
    const mark = element.querySelector(".tt-tick");
    if (mark) mark.hidden = !done;
  }

  function showModule(module, here) {
    each(`[data-module="${module.id}"]:not(.tt-progress)`, (item) => {
      tick(item, module.complete);
      item.classList.toggle("tt-begun", module.built > 0 && !module.complete);
      item.classList.toggle("tt-here", here);
    });
    each(`.tt-progress[data-module="${module.id}"]`, (bar) => {
      bar.hidden = module.built === 0;
      bar.querySelector("progress").value = module.built;
      bar.querySelector("b").textContent = module.built;
    });
  }

  // Where the student is, in the page's head: the module worked on last, and the next exercise.
  function showPosition(strip, state) {
    const { here, module, due } = state;
    strip.hidden = !here;
    if (!here) return;
    const at = due ? here : module ?? here;
    const [where, next] = [strip.querySelector(".tt-where"), strip.querySelector(".tt-next")];
    where.textContent = `${at.where} · ${at.label} ${at.title} · ${at.built} of ${at.total}`;
    const step = nextStep(state);
    next.textContent = step ? `Next: ${step.title}` : "All that is written is built";
    strip.href = step?.href ?? `${root}content/milestones.html`;
    strip.title = `${where.textContent}. ${next.textContent}`;
  }

  function showWayBack(link, state) {
    const step = nextStep(state);
    link.hidden = !step;
    if (!step) return;
    link.href = step.href;
    link.textContent = `Continue where you stopped: ${step.long}`;
  }

  // The milestone that is due, or the next exercise; null when all that is written is built.
  function nextStep({ module, exercise, due }) {
    if (due) return { title: due.title, long: due.title, href: root + due.url };
    if (!exercise) return null;
    const href = `${root}${module.url}#ex-${exercise.id.replaceAll(".", "-")}`;
    return { title: exercise.title, long: `${module.title}, ${exercise.title}`, href };
  }

  window.tinytorchProgress((state) => {
    each("section.exercise", (card) => tick(card, state.passed(card.dataset.exercise)));
    each("[data-milestone]", (item) => tick(item, Boolean(state.milestones[item.dataset.milestone])));
    const at = state.module ?? state.here;
    for (const module of state.modules) showModule(module, module.id === at?.id);
    each("[data-act]", (act) => {
      const number = Number(act.dataset.act);
      const inside = state.modules.filter((m) => m.act === number);
      const whole = window.tinytorchCourse.complete.includes(number);
      act.classList.toggle("tt-done", whole && inside.every((m) => m.complete));
      act.classList.toggle("tt-here", at?.act === number);
    });
    each(".tt-position", (strip) => showPosition(strip, state));
    each(".tt-continue", (link) => showWayBack(link, state));
  });
})();
