// What has to be scrolled sideways can be reached with the keyboard: formulas, tables, outputs.
(() => {
  const REGIONS = 'mjx-container[display="true"], .bd-article pre, .bd-article table, .output, .tt-plot';
  function reach() {
    for (const region of document.querySelectorAll(REGIONS)) {
      const scrolls = region.scrollWidth > region.clientWidth + 1;
      if (scrolls && !region.hasAttribute("tabindex")) region.tabIndex = 0;
    }
  }
  addEventListener("load", async () => {
    reach();
    await window.MathJax?.startup?.promise; // formulas get their width when they are set
    reach();
  });
  addEventListener("resize", reach);
})();
