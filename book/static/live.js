// The live notebook over the page: a frame that fills the window, opened by any link [data-live].
//
// It is started, hidden, when the reader is likely to want it, and kept when closed: coming back is
// instant. Without this script, or in a new tab, the links open the notebook as a page of its own.
// The frame's own bar (lite/shell.js) posts {type: "tinytorch-close"}; `#ex=<id>` in its address
// says which exercise to show.
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

  function goTo(url) {
    const { hash } = new URL(url, location.href);
    if (!hash) return;
    try {
      // `replace`, so that the page's Back closes the notebook instead of walking its hashes.
      const at = frame.contentWindow.location;
      const to = new URL(at.href === "about:blank" ? url : at.href, location.href);
      to.hash = hash;
      if (to.href === at.href) frame.contentWindow.dispatchEvent(new HashChangeEvent("hashchange"));
      else at.replace(to.href);
    } catch {
      frame.src = url;
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
    if (frame) goTo(link.href);
    else make(link.href);
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
