// Says how many renders are chosen, and chooses all of a page. The form works without it.
const form = document.getElementById("renders-form");

const boxes = () => [...form.querySelectorAll("input[name=id]")];

function show() {
  const chosen = boxes().filter((box) => box.checked).length;
  const label = document.getElementById("chosen");
  const text = chosen ? `${chosen} chosen` : "Chosen ones";
  if (label && label.textContent !== text) label.textContent = text;
  const all = form.querySelector("input[data-all]");
  if (all) {
    all.hidden = false;
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && !all.checked;
  }
}

export function watchSelection() {
  if (!form) return;
  form.addEventListener("change", (event) => {
    if (event.target.matches("input[data-all]")) {
      for (const box of boxes()) box.checked = event.target.checked;
    }
    if (event.target.matches("input[name=id]") && event.target.checked) {
      const chosen = form.querySelector("input[name=scope][value=chosen]");
      if (chosen) chosen.checked = true;
    }
    show();
  });
  form.addEventListener("rows", show);
  // The browser keeps boxes checked when somebody comes back to the page.
  show();
}
