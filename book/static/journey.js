// The pages about the whole course: what each milestone still needs or came to, and the checkpoints.
(() => {
  const course = window.tinytorchCourse;
  const each = (selector, fn) => document.querySelectorAll(selector).forEach(fn);

  // What a milestone's line says: its result, or what it waits for. Nothing for a first visitor.
  function stateOf(milestone, state) {
    const result = state.milestones[milestone.name];
    if (result) return { done: true, text: `Reached: ${describe(result, milestone.measures)}` };
    const needed = state.modules.filter((m) => m.act <= milestone.after);
    const built = needed.reduce((sum, m) => sum + m.built, 0);
    const total = needed.reduce((sum, m) => sum + m.total, 0);
    const unlocked = course.complete.includes(milestone.after) && built === total;
    if (unlocked) return { open: true, text: "Unlocked: all it runs is yours. Ready when you are." };
    return { text: state.begun ? `${built} of the ${total} exercises it runs on are yours` : "" };
  }

  // As Measure.text in tinytorch/milestones/measure.py.
  function said(value, { unit }) {
    if (unit === "%") return `${(100 * value).toFixed(2)}%`;
    const whole = Math.abs(value) >= 1000;
    return `${whole ? Math.round(value).toLocaleString("en-US") : Number(value.toPrecision(4))} ${unit}`.trim();
  }

  function describe(result, measures) {
    const { date, where, yours, of, seconds } = result;
    const parts = [];
    for (const measure of measures) {
      const value = result[measure.key];
      const best = result[measure.best];
      if (typeof value !== "number") continue;
      parts.push(`${measure.label} ${said(value, measure)}`);
      const better = measure.better === "higher" ? best > value : best < value;
      if (typeof best === "number" && better) parts.push(`best ${said(best, measure)}`);
    }
    if (typeof seconds === "number") parts.push(`${seconds} s of learning`);
    if (of) parts.push(`${yours} of ${of} exercises in it yours`);
    if (date) parts.push(`${date.slice(0, 10)}${where ? `, ${where}` : ""}`);
    return parts.join(", ") || "noted in your progress";
  }

  function visited() {
    try {
      return localStorage.getItem("tt-visited") !== null; // set by lite/shell.js
    } catch {
      return false; // storage is switched off
    }
  }

  window.tinytorchProgress((state) => {
    for (const milestone of course.milestones) {
      const { done = false, open = false, text } = stateOf(milestone, state);
      each(`[data-milestone="${milestone.name}"]`, (item) => {
        item.classList.toggle("tt-open", open && !done);
        const line = item.querySelector(".tt-state");
        if (line && line.textContent !== text) line.textContent = text;
      });
    }
    for (const module of state.modules) {
      each(`.tt-count[data-module="${module.id}"]`, (count) => {
        count.textContent = module.built ? `${module.built} of ${module.total}` : "";
      });
    }
    each('[data-checkpoint="0"]', (item) => {
      const done = visited() || state.begun;
      item.classList.toggle("tt-done", done);
      item.querySelector(".tt-tick").hidden = !done;
    });
  });
})();
