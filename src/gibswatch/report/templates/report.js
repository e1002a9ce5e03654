"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  document.documentElement.classList.add("js");

  // Sorting and filtering of the table of all days.
  const table = document.querySelector("table.sortable");
  if (table) {
    const body = table.tBodies[0];
    const heads = all("thead th:not(.plain)", table);
    const value = (row, n) => row.cells[n].dataset.v ?? row.cells[n].textContent.trim();
    heads.forEach((head, n) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const numeric = head.classList.contains("number");
        const rows = [...body.rows].map((row) => [value(row, n), row]);
        rows.sort(([a], [b]) => numeric ? (a === "" ? -1 : +a) - (b === "" ? -1 : +b) : a < b ? -1 : a > b ? 1 : 0);
        if (down) rows.reverse();
        body.append(...rows.map(([, row]) => row));
      });
    });
    const states = new Map();
    for (const row of body.rows) states.set(row.dataset.state, (states.get(row.dataset.state) ?? 0) + 1);
    const filters = document.querySelector(".filters");
    const choose = (state) => {
      for (const row of body.rows) row.hidden = state !== "" && row.dataset.state !== state;
      all("button", filters).forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.state === state)));
    };
    if (states.size > 1) {
      for (const [state, count] of [["", body.rows.length], ...states]) {
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.state = state;
        button.textContent = `${state || "all"} ${count.toLocaleString("en")}`;
        button.addEventListener("click", () => choose(state));
        filters.append(button);
      }
      filters.hidden = false;
      choose("");
    }
    // A row that a link leads to must be there to be seen.
    addEventListener("hashchange", () => {
      const row = document.getElementById(location.hash.slice(1));
      if (row && row.hidden) { choose(""); row.scrollIntoView({ block: "center" }); }
    });
  }

  // Tooltips of the calendar, and arrow keys from day to day.
  const tip = document.getElementById("tip");
  const name = (cell) => {
    const title = cell.querySelector("title");
    if (title) { cell.dataset.tip = title.textContent; cell.setAttribute("aria-label", title.textContent); title.remove(); }
    return cell.dataset.tip;
  };
  const show = (event) => {
    const cell = event.target.closest?.("a.cell, a.bar");
    tip.hidden = !cell;
    if (!cell) return;
    const words = name(cell).split(" · ");
    tip.replaceChildren(...words.map((word, n) => Object.assign(document.createElement(n ? "span" : "b"), { textContent: word })));
    const box = cell.getBoundingClientRect();
    const left = Math.min(Math.max(8, box.left + box.width / 2 - tip.offsetWidth / 2), innerWidth - tip.offsetWidth - 8);
    const above = box.top - tip.offsetHeight - 8;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(above > 4 ? above : box.bottom + 8) + scrollY}px`;
  };
  const calendar = document.getElementById("calendar");
  calendar.addEventListener("pointerover", show);
  calendar.addEventListener("focusin", show);
  calendar.addEventListener("pointerleave", () => { tip.hidden = true; });
  calendar.addEventListener("focusout", () => { tip.hidden = true; });
  const cells = all("a.cell", calendar);
  const weekwise = calendar.querySelector(".years") !== null;
  const moves = weekwise
    ? { ArrowDown: 1, ArrowUp: -1, ArrowRight: 7, ArrowLeft: -7 }
    : { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 7, ArrowUp: -7 };
  calendar.addEventListener("keydown", (event) => {
    const at = cells.indexOf(event.target.closest("a.cell"));
    const next = cells[at + moves[event.key]];
    if (at < 0 || !next) return;
    event.preventDefault();
    next.focus();
  });

  // A picture enlarged, with the other panels of its day an arrow key away.
  const viewer = document.getElementById("viewer");
  let panels = [], shown = 0, day = "";
  const open = (n) => {
    shown = (n + panels.length) % panels.length;
    const figure = panels[shown];
    const picture = figure.querySelector("svg").cloneNode(true);
    all("[id]", picture).forEach((part) => part.removeAttribute("id"));
    viewer.querySelector(".stage").replaceChildren(picture);
    viewer.querySelector(".bar b").textContent = figure.querySelector(".zoom").dataset.title;
    viewer.querySelector(".bar span").textContent = `${day} · ${shown + 1} of ${panels.length}`;
    const legend = figure.querySelector(".swatches");
    viewer.querySelector(".under").replaceChildren(...(legend ? [legend.cloneNode(true)] : []));
    const [, , width, height] = picture.getAttribute("viewBox").split(" ").map(Number);
    picture.style.width = `min(96vw, ${(82 * width) / height}vh)`;
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".zoom");
    if (!button) return;
    const card = button.closest(".day");
    panels = all(".shot", card);
    day = card.querySelector("h3").textContent;
    open(panels.indexOf(button.closest(".shot")));
    viewer.showModal();
  });
  viewer.addEventListener("click", (event) => {
    const step = event.target.dataset.step;
    if (step) open(shown + Number(step));
    else if (event.target === viewer || "close" in event.target.dataset) viewer.close();
  });
  viewer.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) { event.preventDefault(); open(shown + step); }
  });
})();
