/*
 * The staff's pages while they are open: hears that something changed, has the changing part drawn anew, and leaves alone
 * what the reader is doing (focus, open details, half-written text). Without it every page still works by reloading.
 */
(() => {
  "use strict";
  const POLL_MS = 10000; // while the stream is away
  const REST_MS = 3000; // between two refreshes: a storm of changes is one refresh
  const AGE_MS = 60000; // refresh at least so often, for "now" moves on too

  // -- Times: in the reader's zone, the UTC one on hover ----------------------------------------------------------------
  const clock = { hour: "2-digit", minute: "2-digit" };
  function localise(root) {
    const today = new Date().toDateString();
    for (const element of root.querySelectorAll("time[data-at]")) {
      const moment = new Date(element.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      const utc = element.textContent.trim();
      if (utc.endsWith("UTC")) element.title = utc;
      const shape = moment.toDateString() === today ? clock : { day: "numeric", month: "short", ...clock };
      element.textContent = new Intl.DateTimeFormat(navigator.language, shape).format(moment);
    }
  }

  // -- Copying a secret ---------------------------------------------------------------------------------------------------
  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
      button.textContent = "Copied";
    });
  }

  const zone = document.getElementById("zone");
  if (zone) zone.textContent = `Times are in ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`;
  localise(document);
  if (!document.getElementById("live")) return;

  // -- Drawing anew without disturbing the reader ---------------------------------------------------------------------------
  Object.assign(Idiomorph.defaults.callbacks, {
    // What a script has drawn, and a form somebody is filling in, stay as they are.
    beforeNodeMorphed: (old) => !(old instanceof Element && old.matches("[data-drawn], form[data-dirty]")),
    // Details stay open or closed as the reader left them.
    beforeAttributeUpdated: (name, node) => !(name === "open" && node instanceof HTMLDetailsElement),
  });
  // Who opens a form wants to write in it.
  document.addEventListener("toggle", (event) => {
    if (event.target.open && event.target.matches("#live details.act")) event.target.querySelector("input:not([type=hidden]), select")?.focus();
  }, { capture: true });
  document.addEventListener("input", (event) => {
    const form = event.target.closest("#live form");
    if (form) form.dataset.dirty = "";
  });
  const sending = new WeakSet(); // a second click on the same button says nothing new
  document.addEventListener("submit", (event) => {
    if (!sending.has(event.target)) return void sending.add(event.target);
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { capture: true });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target instanceof HTMLFormElement) {
      delete event.target.dataset.dirty;
      const details = event.target.closest("details.act");
      if (details) details.open = false;
    }
  });
  let focused = null; // where the reader was, in case the button under their finger is gone afterwards
  document.addEventListener("htmx:beforeSwap", () => {
    const active = document.activeElement;
    focused = active && active.closest("#live") ? active.closest("article, section")?.id || "live" : null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    const live = document.getElementById("live");
    localise(live);
    if (focused !== null && document.activeElement === document.body) {
      const home = document.getElementById(`${focused}-title`) || live.querySelector("h1[tabindex], h2[tabindex]");
      if (home) home.focus({ preventScroll: true });
    }
    document.dispatchEvent(new Event("outcry:drawn"));
  });

  // -- Hearing of changes -------------------------------------------------------------------------------------------------
  const liveness = document.getElementById("liveness");
  const words = liveness.querySelector("[data-liveness-words]");
  const SAY = { live: "Live", polling: "Looking every 10 seconds", away: "No answer; trying again" };
  function show(state) {
    liveness.hidden = false;
    if (liveness.dataset.liveness === state) return;
    liveness.dataset.liveness = state;
    words.textContent = SAY[state];
  }

  let lastRefresh = Date.now();
  let pending = 0;
  let isBusy = false;
  function refresh() {
    if (document.hidden || pending) return; // a hidden page catches up when it is seen again
    const wait = Math.max(0, lastRefresh + REST_MS - Date.now());
    pending = window.setTimeout(() => {
      pending = 0;
      if (isBusy) return void window.setTimeout(refresh, REST_MS);
      lastRefresh = Date.now();
      htmx.trigger("#live", "refresh");
    }, wait);
  }
  document.addEventListener("htmx:beforeRequest", () => { isBusy = true; });
  document.addEventListener("htmx:afterRequest", (event) => { isBusy = false; sending.delete(event.target); });
  for (const name of ["htmx:sendError", "htmx:responseError"]) {
    document.addEventListener(name, (event) => {
      show("away");
      if (event.target instanceof HTMLFormElement) {
        const note = document.createElement("p");
        note.className = "notice bad";
        note.textContent = "That did not get through. Nothing was changed; try again, or reload the page.";
        document.getElementById("messages").replaceChildren(note);
      }
    });
  }
  document.addEventListener("htmx:afterOnLoad", () => { show(isStreaming ? "live" : "polling"); });

  let isStreaming = false;
  let source = null;
  function listen() {
    source = new EventSource(liveness.dataset.stream);
    source.addEventListener("open", () => { isStreaming = true; show("live"); refresh(); });
    source.addEventListener("changed", refresh);
    source.addEventListener("error", () => {
      isStreaming = false;
      show("polling");
      if (source.readyState === EventSource.CLOSED) { // refused for good: ask again in a while
        source = null;
        window.setTimeout(listen, 3 * POLL_MS);
      }
    });
  }
  window.setInterval(() => {
    if (!isStreaming || Date.now() - lastRefresh > AGE_MS) refresh();
  }, POLL_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  window.addEventListener("pagehide", () => { source?.close(); source = null; isStreaming = false; });
  window.addEventListener("pageshow", () => { if (source === null) listen(); });
})();
