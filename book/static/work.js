// "Your work", from any link [data-work]: the dialog is the live notebook's own (lite/keep/panel.js).
(() => {
  const panel = new URL("../lite/static/keep/panel.js", document.currentScript.src).href;
  const show = async () => (await import(panel)).show();
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("a[data-work]")) return;
    event.preventDefault();
    show();
  });
  if (location.hash === "#your-work") show();
})();
