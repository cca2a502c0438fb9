// The live notebook over the page: a frame that fills the window, opened by any link [data-live].
//
// It is started, hidden, when the reader is likely to want it, and kept when closed: coming back is
// instant. Without this script, or in a new tab, the links open the notebook as a page of its own.
// The frame's own bar (lite/shell.js) posts {type: "tinytorch-close"}; `#ex=<id>` in a link's address
// says which exercise to show: here for the frame, in the shell for a page of its own.
(() => {
  const links = document.querySelectorAll("a[data-live]");
  if (!links.length) return;
  const STATE = "tinytorch-live";
  let overlay = null;
  let frame = null;
  let opener = null;
  let shown = false;

  function make(url) {
    overlay = document.createElement("div");
    overlay.id = "tt-overlay";
    overlay.setAttribute("role", "dialog");
    overlay.setAttribute("aria-modal", "true");
    overlay.setAttribute("aria-label", "Live notebook");
    overlay.inert = true;
    overlay.innerHTML = '<p class="tt-opening" role="status">Opening the live notebook</p>';
    frame = document.createElement("iframe");
    frame.title = "Live notebook";
    frame.allow = "clipboard-read; clipboard-write";
    frame.src = url;
    overlay.append(frame);
    document.body.append(overlay);
  }

  function warm(url) {
    if (frame || navigator.connection?.saveData) return;
    make(url);
  }

  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // Cells above grow while they are drawn: scroll until the cell stays where it was put.
  async function settle(notebook, at, current) {
    notebook.activeCellIndex = at;
    notebook.deselectAll();
    for (let tries = 0, still = 0, last = null; current() && tries < 20 && still < 3; tries++) {
      await notebook.scrollToItem(Math.max(at - 1, 0), "start"); // with its heading
      await pause(150);
      const top = notebook.widgets[at]?.node.getBoundingClientRect().top;
      still = top === last ? still + 1 : 0;
      last = top;
    }
  }

  // Bring the cell of the exercise in `#ex=<id>` into view, once the notebook is open in the frame.
  let asked = 0;
  async function showCell(url) {
    const id = decodeURIComponent(new URL(url, location.href).hash).match(/^#ex=(.+)$/)?.[1];
    const mine = ++asked; // a later click wins
    while (id && mine === asked) {
      const notebook = frame.contentWindow?.jupyterapp?.shell?.currentWidget?.content;
      const cells = notebook?.widgets ?? [];
      const at = cells.findIndex((c) => c.model.getMetadata("tinytorch")?.exercise === id);
      if (at >= 0) return settle(notebook, at, () => mine === asked);
      await pause(200);
    }
  }

  function behind(hidden) {
    for (const element of document.body.children) {
      if (element !== overlay) element.inert = hidden;
    }
    document.documentElement.classList.toggle("tt-live", hidden);
  }

  function open(link) {
    opener = link;
    if (!frame) make(link.href);
    showCell(link.href);
    shown = true;
    overlay.inert = false;
    overlay.classList.add("tt-shown");
    behind(true);
    if (history.state?.[STATE] !== true) history.pushState({ ...history.state, [STATE]: true }, "");
    frame.focus();
  }

  function hide() {
    if (!shown) return;
    shown = false;
    overlay.classList.remove("tt-shown");
    behind(false);
    overlay.inert = true;
    opener?.focus({ preventScroll: true });
  }

  // Closing goes through history, so that Back, the frame's bar and Escape leave the same trace.
  function close() {
    if (history.state?.[STATE] === true) history.back();
    else hide();
  }

  addEventListener("popstate", (event) => {
    if (event.state?.[STATE] === true) {
      if (!shown) open(opener ?? links[0]);
    } else hide();
  });
  addEventListener("message", (event) => {
    if (event.origin === location.origin && event.data?.type === "tinytorch-close") close();
  });
  addEventListener("keydown", (event) => {
    if (shown && event.key === "Escape") close();
  });
  // A reload with the notebook open comes back to the page, not to an entry that means "open".
  if (history.state?.[STATE] === true) history.replaceState({ ...history.state, [STATE]: false }, "");

  for (const link of links) {
    link.addEventListener("click", (event) => {
      if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      open(link);
    });
    for (const sign of ["pointerenter", "focus", "touchstart"]) {
      link.addEventListener(sign, () => warm(links[0].href), { once: true, passive: true });
    }
  }

  const first = document.querySelector("section.exercise");
  if (first) {
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      warm(links[0].href);
    });
    seen.observe(first);
  }

  // The small button stands in for the large one once that has scrolled away.
  const large = document.getElementById("tt-start");
  const dock = document.querySelector(".tt-dock");
  if (large && dock) {
    new IntersectionObserver(([entry]) => {
      const away = !entry.isIntersecting;
      dock.classList.toggle("tt-away", !away);
    }).observe(large);
  }
})();
