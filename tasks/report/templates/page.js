// What the page can do more with a script: theme, class filter, before/after. Without one, all of it is there as
// tables and pictures.
(() => {
  "use strict";

  function theme() {
    const button = document.getElementById("theme");
    const root = document.documentElement;
    const stored = (value) => {
      try {
        if (value) localStorage.setItem("theme", value);
        return localStorage.getItem("theme");
      } catch {
        return null; // a file may have no storage
      }
    };
    if (stored()) root.dataset.theme = stored();
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme
        ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      stored(root.dataset.theme);
    });
  }

  // The first choice shows that class alone; further ones add or take away; nothing chosen is everything.
  function classFilter(bar) {
    const section = document.getElementById(bar.dataset.for);
    const all = bar.querySelector("[data-all]");
    const buttons = [...bar.querySelectorAll("[data-class]")];
    let chosen = new Set();
    const show = () => {
      for (const element of section.querySelectorAll("[data-class]")) {
        if (bar.contains(element)) continue;
        element.classList.toggle("off", chosen.size > 0 && !chosen.has(element.dataset.class));
      }
      section.querySelectorAll("svg.fig").forEach(closeUp);
      for (const button of buttons) button.setAttribute("aria-pressed", !chosen.size || chosen.has(button.dataset.class));
      all.setAttribute("aria-pressed", !chosen.size);
    };
    for (const button of buttons) {
      button.addEventListener("click", () => {
        const name = button.dataset.class;
        if (!chosen.delete(name)) chosen.add(name);
        if (chosen.size === buttons.length) chosen = new Set();
        show();
      });
    }
    all.addEventListener("click", () => {
      chosen = new Set();
      show();
    });
    bar.hidden = false;
  }

  // A figure is made of blocks one below the other: those that are hidden leave no gap.
  function closeUp(figure) {
    let y = 0;
    for (const block of figure.querySelectorAll(":scope > .block")) {
      if (block.classList.contains("off")) continue;
      block.setAttribute("transform", `translate(0 ${y})`);
      y += Number(block.dataset.height);
    }
    figure.setAttribute("viewBox", `0 0 ${figure.viewBox.baseVal.width} ${y}`);
  }

  // A row of a gallery as two pictures on top of each other; they are those of the grid, so the page does not grow.
  function compare(box) {
    const grid = box.nextElementSibling;
    const rows = [...grid.querySelectorAll(".row")].map((row) => [...row.querySelectorAll("[data-column]")]);
    const pairs = rows.flatMap((cells) =>
      cells.slice(1).map((cell) => ({ before: cells[0].querySelector("img"), after: cell.querySelector("img"), cell })),
    );
    const usable = pairs.filter((pair) => pair.before && pair.after);
    if (!usable.length) return;
    const stage = box.querySelector(".stage");
    const [after, before] = stage.querySelectorAll("img");
    const range = box.querySelector("input");
    const choices = { image: box.querySelector("[name=image]"), column: box.querySelector("[name=column]") };
    const show = () => {
      const pair = usable.find(
        (p) => p.cell.dataset.row === choices.image.value && p.cell.dataset.column === choices.column.value,
      );
      for (const part of [before, after]) part.hidden = !pair;
      if (!pair) return;
      before.src = pair.before.src;
      after.src = pair.after.src;
      before.alt = pair.before.alt;
      after.alt = pair.after.alt;
      stage.style.aspectRatio = `${pair.before.width} / ${pair.before.height}`;
      box.querySelector(".right").textContent = choices.column.selectedOptions[0].textContent;
    };
    const move = () => stage.style.setProperty("--at", `${range.value}%`);
    for (const choice of Object.values(choices)) choice.addEventListener("change", show);
    range.addEventListener("input", move);
    show();
    move();
    box.hidden = false;
  }

  // A link to what lies folded opens it.
  function unfold() {
    const wanted = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let at = wanted; at; at = at.parentElement) if (at.matches("details")) at.open = true;
    if (wanted) (wanted.closest("details.audit") ?? wanted).scrollIntoView();
  }

  theme();
  window.addEventListener("hashchange", unfold);
  unfold();
  document.querySelectorAll(".filter").forEach(classFilter);
  document.querySelectorAll(".compare").forEach(compare);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement?.matches(".grid img")) document.activeElement.blur();
  });
  window.addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details")) {
      folded.removeAttribute("name"); // or opening one would close the others
      folded.open = true;
    }
  });
})();
