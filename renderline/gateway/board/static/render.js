"use strict";
// The page of one render, kept as the render is: progress as it comes, the other parts anew at each change of state.
(() => {
  const root = document.getElementById("render");
  if (!root) return;

  function offerCopies(within) {
    for (const button of within.querySelectorAll("button.copy")) button.hidden = !navigator.clipboard;
  }
  root.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const before = button.innerHTML;
    button.textContent = "Copied";
    setTimeout(() => { button.innerHTML = before; }, 1500);
  });
  // A question closes with Escape, and its button has the focus again.
  root.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && event.target.closest("details.ask[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
  offerCopies(root);

  // What somebody reads, plays or answers stays as it is.
  function isBusy(part) {
    return part.contains(document.activeElement) && document.activeElement !== part
      || part.querySelector("details[open]")
      || [...part.querySelectorAll("video, audio")].some((media) => media.currentTime > 0 && !media.ended);
  }
  let wanted = false, running = false;
  async function renew() {
    wanted = true;
    if (running) return;
    running = true;
    while (wanted) {
      wanted = false;
      try {
        const answer = await fetch(location.pathname, { headers: { "X-Board-Fragment": "render" } });
        if (answer.ok) replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } catch { /* The stream comes again, and with it the next change. */ }
    }
    running = false;
  }
  function replace(fresh) {
    for (const part of root.querySelectorAll("[data-live]")) {
      const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      if (!next || part.dataset.live === "said" || isBusy(part) || next.innerHTML === part.innerHTML) continue;
      part.replaceWith(next);
      offerCopies(next);
    }
  }

  if (!root.dataset.events) return;
  const events = new EventSource(root.dataset.events);
  let state = root.querySelector(".state")?.textContent;
  let later = 0;
  events.addEventListener("change", (event) => {
    const change = JSON.parse(event.data);
    const bar = document.querySelector("#progress progress");
    if (bar) {
      bar.value = change.progress;
      document.querySelector("#progress .percent").textContent = `${Math.round(change.progress)} %`;
    }
    if (change.state === state) return;
    state = change.state;
    clearTimeout(later);
    later = setTimeout(renew, 150);
  });
  events.addEventListener("record", () => { events.close(); renew(); });
  // Something may have happened while the connection was away.
  let opened = false;
  events.addEventListener("open", () => { if (opened) renew(); opened = true; });
})();
