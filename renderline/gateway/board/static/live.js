// Follows the changes of renders. Rows in sight change at once; what the event does not say is read from the server,
// once for many changes.
import { apply, refreshRows } from "./rows.js";

const ROWS_EVERY = 2000;
const PER_ROW = 10; // a long page is read anew less often: 500 rows every 5 s
const FIGURES_EVERY = 5000;
const NEWS_EVERY = 10000;

const rows = document.getElementById("rows");
const figures = document.getElementById("overview");
const button = document.getElementById("live");
const state = document.getElementById("live-state");
const news = document.getElementById("news");

let source = null;
let wanted = true;
let stale = { rows: false, figures: false };
let changed = 0;
let busy = false;
let rowsAt = 0;
let figuresAt = 0;
let newsAt = 0;

const pause = () => Math.max(ROWS_EVERY, PER_ROW * rows.querySelectorAll("tbody tr").length);

async function part(url) {
  const answer = await fetch(url, { headers: { "X-Board-Fragment": "1" }, credentials: "same-origin" });
  if (answer.status === 401) {
    location.reload();
    return null;
  }
  return answer.ok ? answer.text() : null;
}

async function tick() {
  if (busy || document.hidden || !wanted) return;
  const now = performance.now();
  busy = true;
  try {
    if (stale.rows && now - rowsAt >= pause() && !document.querySelector("#rows details[open]")) {
      rowsAt = now;
      stale.rows = false;
      const html = await part(rows.dataset.url);
      if (html !== null) await refreshRows(rows, html);
      else stale.rows = true; // refused, as with a 429: asked again later
    }
    if ((stale.figures && now - figuresAt >= FIGURES_EVERY) || now - figuresAt >= 6 * FIGURES_EVERY) {
      figuresAt = now;
      stale.figures = false;
      const html = figures.contains(document.activeElement) ? null : await part(figures.dataset.url);
      if (html !== null && figures.innerHTML !== html) figures.innerHTML = html;
    }
    if (changed && now - newsAt >= NEWS_EVERY) {
      newsAt = now;
      news.textContent = `${changed} ${changed === 1 ? "render has" : "renders have"} changed.`;
      changed = 0;
    }
  } catch {
    stale.rows = true; // the gateway does not answer; the stream says when it does again
  } finally {
    busy = false;
  }
}

function onChanges(event) {
  const changes = JSON.parse(event.data);
  stale.figures = true;
  if (changes === null) {
    stale.rows = true;
    return;
  }
  changed += changes.length;
  if (apply(rows, changes, "newest" in rows.dataset)) stale.rows = true;
}

function connect() {
  if (source || !wanted || document.hidden) return;
  source = new EventSource(rows.dataset.events);
  source.addEventListener("open", () => {
    state.textContent = "";
    stale = { rows: true, figures: true };
  });
  source.addEventListener("changes", onChanges);
  source.addEventListener("error", () => {
    state.textContent = "not connected";
    if (source && source.readyState === EventSource.CLOSED) {
      disconnect();
      setTimeout(connect, 5000); // refused: too many boards are open, or the session has ended
      stale.rows = true;
    }
  });
}

function disconnect() {
  source?.close();
  source = null;
}

export function follow() {
  if (!rows || !window.EventSource) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    wanted = !wanted;
    button.setAttribute("aria-pressed", String(wanted));
    state.textContent = wanted ? "" : "paused";
    if (wanted) connect();
    else disconnect();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  connect();
  setInterval(tick, 500);
}
