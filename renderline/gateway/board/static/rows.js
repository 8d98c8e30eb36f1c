// Changes the rows of the table, and only those that differ. Focus, choices and the scroll position stay.

// Puts the changes into the rows in sight. Returns whether the server knows more than that: why the render is not done
// now, or a new render at the top.
export function apply(place, changes, newest) {
  let more = false;
  for (const [id, state, progress] of changes) {
    const row = document.getElementById(`r-${id}`);
    if (!row) {
      more = more || newest;
      continue;
    }
    const badge = row.querySelector(".state");
    if (badge && badge.textContent !== state) {
      badge.textContent = state;
      badge.className = `state state-${state}`;
      flash(row);
      more = true;
    }
    const bar = row.querySelector("progress");
    if (bar && bar.value !== progress) {
      bar.value = progress;
      more = true;
      row.querySelector(".percent").textContent = `${Math.round(progress)} %`;
      // The sentence names the progress too; what else it says comes with the row, a moment later.
      const why = row.querySelector(".why");
      why.textContent = why.textContent.replace(/(?<=^The vendor is at )\d+(?= %)/, Math.round(progress));
    }
  }
  return more;
}

function flash(row) {
  row.classList.remove("changed");
  requestAnimationFrame(() => row.classList.add("changed"));
}

const AT_ONCE = 40;
const nextFrame = () => new Promise(requestAnimationFrame);

// Takes over the rows that the server has sent, in their order; of a long page some in each frame.
export async function refreshRows(place, html) {
  const sent = new DOMParser().parseFromString(html, "text/html").body;
  const body = place.querySelector("tbody");
  const fresh = sent.querySelector("tbody");
  if (!body || !fresh) {
    if (body || fresh || place.textContent.trim() !== sent.textContent.trim()) place.replaceChildren(...sent.childNodes);
    place.dispatchEvent(new Event("rows", { bubbles: true }));
    return;
  }
  const focus = focused(place);
  const known = new Map([...body.rows].map((row) => [row.id, row]));
  let at = body.firstElementChild;
  let moved = 0;
  for (const row of [...fresh.rows]) {
    const old = known.get(row.id);
    known.delete(row.id);
    if (old) patch(old, row);
    const kept = old || document.adoptNode(row);
    if (kept === at) {
      at = at.nextElementSibling;
      continue;
    }
    body.insertBefore(kept, at);
    moved += 1;
    if (moved % AT_ONCE === 0) await nextFrame();
  }
  for (const gone of known.values()) if (!gone.contains(document.activeElement)) gone.remove();
  const pages = place.querySelector(".pages");
  const newPages = sent.querySelector(".pages");
  if (pages && newPages && pages.innerHTML !== newPages.innerHTML && !pages.contains(document.activeElement)) {
    pages.replaceWith(document.adoptNode(newPages));
  }
  restore(focus);
  place.dispatchEvent(new Event("rows", { bubbles: true }));
}

// Only the cells that differ: what has the focus is not replaced, nor is a choice.
function patch(old, fresh) {
  if (old.dataset.v === fresh.dataset.v) return;
  old.dataset.v = fresh.dataset.v;
  [...fresh.cells].forEach((cell, index) => {
    const was = old.cells[index];
    if (was && !was.matches(".pick") && was.innerHTML !== cell.innerHTML) was.innerHTML = cell.innerHTML;
  });
}

function focused(place) {
  const element = document.activeElement;
  const row = place.contains(element) ? element.closest("tr[id]") : null;
  return row && { id: row.id, number: focusable(row).indexOf(element) };
}

function restore(focus) {
  if (!focus || document.activeElement !== document.body) return;
  const row = document.getElementById(focus.id);
  const element = row && focusable(row)[focus.number];
  if (element && element !== document.activeElement) element.focus({ preventScroll: true });
}

const focusable = (row) => [...row.querySelectorAll("a, input, button, summary")];
