// What every screen shares: asking before doing, menus, picking rows, staying awake, forms. No script stands in a page.
(function () {
  "use strict";
  const english = document.documentElement.lang === "en";
  const say = (chinese, other) => (english ? other : chinese);
  const token = () => document.querySelector("meta[name=csrf-token]").content;

  // --- asking first: <button data-confirm="…">; the server asks again when this script did not run
  function ask(question, then) {
    const box = document.createElement("dialog");
    const text = document.createElement("p");
    const buttons = document.createElement("div");
    const no = document.createElement("button");
    const yes = document.createElement("button");
    text.textContent = question;
    buttons.className = "form-buttons";
    no.className = "btn btn-secondary";
    no.textContent = say("取消", "Cancel");
    yes.className = "btn btn-primary";
    yes.textContent = say("确定", "OK");
    no.type = yes.type = "button";
    no.onclick = () => box.close();
    yes.onclick = () => { box.close(); then(); };
    box.onclose = () => box.remove();
    buttons.append(no, yes);
    box.append(text, buttons);
    document.body.append(box);
    box.showModal();
    yes.focus();
  }

  function confirmFirst(event) {
    const button = event.submitter;
    const question = button && button.dataset.confirm;
    if (!question || button.dataset.sure) return false;
    event.preventDefault();
    const picked = button.form.hasAttribute("data-picks") ? pickedIn(button.form).length : 0;
    ask(picked ? question.replace("{n}", picked) : question, () => {
      button.dataset.sure = "1";
      let sure = button.form.elements.confirmed;
      if (!sure) {
        sure = Object.assign(document.createElement("input"), { type: "hidden", name: "confirmed" });
        button.form.append(sure);
      }
      sure.value = "1";
      button.form.requestSubmit(button);
    });
    return true;
  }

  document.addEventListener("submit", (event) => {
    if (confirmFirst(event)) return;
    const form = event.target;
    form.dataset.clean = "1";
    if (form.method === "post" && !form.dataset.download) {
      setTimeout(() => form.querySelectorAll("button[type=submit], button:not([type])").forEach((b) => { b.disabled = true; }));
    }
  });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  // --- typed and not yet saved: say so before leaving
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form && form.hasAttribute("data-guard")) form.dataset.clean = "0";
  });
  addEventListener("beforeunload", (event) => {
    if (document.querySelector("form[data-guard][data-clean='0']")) event.preventDefault();
  });

  // --- menus and dialogs
  document.addEventListener("click", (event) => {
    const menuButton = event.target.closest("[data-toggle-menu]");
    const side = document.getElementById("sidebar");
    if (menuButton || (document.body.classList.contains("menu-open") && !event.target.closest("#sidebar"))) {
      const open = document.body.classList.toggle("menu-open");
      document.querySelector("[data-toggle-menu]").setAttribute("aria-expanded", open);
      if (open && side) side.querySelector("nav a").focus();
    }
    document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    const opener = event.target.closest("[data-open]");
    if (opener) openDialog(opener);
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
    const adder = event.target.closest("[data-inline-add]");
    if (adder) addInline(adder);
    const remover = event.target.closest("[data-inline-remove]");
    if (remover) remover.closest(".inline-row").remove();
  });

  // what the button knows goes into the dialog's fields of the same name: data-fill-contact="12"
  function openDialog(opener) {
    const box = document.getElementById(opener.dataset.open);
    Object.entries(opener.dataset).forEach(([key, value]) => {
      if (!key.startsWith("fill")) return;
      const field = box.querySelector(`[name=${key.slice(4).toLowerCase()}]`);
      if (field) field.value = value;
    });
    box.showModal();
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; });
      document.body.classList.remove("menu-open");
    }
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      const search = document.querySelector(".search input[type=search]");
      if (search) { event.preventDefault(); search.focus(); }
    }
  });

  // --- lists by keyboard: arrows go from row to row, Enter opens, from the search field too
  document.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    if (event.target.closest("[role=combobox], select, textarea, dialog, input:not([type=search])")) return;
    const links = Array.from(document.querySelectorAll("table.stack tbody td:not(.pick):first-child > a, table.stack tbody td.pick + td > a"));
    const at = links.indexOf(document.activeElement);
    const next = at < 0 ? (event.key === "ArrowDown" ? 0 : -1) : at + (event.key === "ArrowDown" ? 1 : -1);
    if (!links.length || (at < 0 && !event.target.matches("body, main, [type=search]"))) return;
    if (next >= 0 && next < links.length) { event.preventDefault(); links[next].focus(); }
  });

  // --- lists: choosing a filter submits it; picking rows shows how many
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-submit], input[data-submit]")) event.target.form.requestSubmit();
    if (event.target.matches("[data-pick-all]")) {
      const form = document.getElementById(event.target.dataset.pickAll);
      boxesOf(form).forEach((box) => { box.checked = event.target.checked; });
      showPicked(form);
    } else if (event.target.matches("input[type=checkbox][name=rowid]")) {
      showPicked(event.target.form);
    }
  });
  const boxesOf = (form) => Array.from(form.elements).filter((field) => field.name === "rowid");
  const pickedIn = (form) => boxesOf(form).filter((box) => box.checked);
  function showPicked(form) {
    if (!form) return;
    const number = pickedIn(form).length;
    form.querySelectorAll("button:not([data-always])").forEach((button) => { button.disabled = number === 0; });
    form.querySelectorAll("[data-picked]").forEach((place) => { place.textContent = number; });
    const all = form.id ? document.querySelector(`[data-pick-all=${form.id}]`) : null;
    if (all) { all.checked = number > 0 && number === boxesOf(form).length; all.indeterminate = number > 0 && !all.checked; }
  }

  // --- rows inside a form: the template's % becomes the next number
  function addInline(button) {
    const list = document.getElementById(button.dataset.inlineAdd);
    const template = list.parentElement.querySelector("template");
    const number = Number(list.dataset.next || list.children.length);
    list.dataset.next = number + 1;
    const holder = document.createElement("template");
    const prefix = `${button.dataset.prefix}-${number}`;
    holder.innerHTML = template.innerHTML.replaceAll(/(name|id|for)="([^"]*)"/g, (whole, attribute, value) => {
      if (!value) return `${attribute}="${prefix}"`;
      return `${attribute}="${prefix}-${value.replace(/^-+/, "")}"`;
    });
    list.append(holder.content);
    const field = list.lastElementChild.querySelector("input:not([type=hidden]), select, textarea");
    if (field) field.focus();
  }

  // --- long select lists become a field to type in: <select data-search>
  function searchable(select) {
    const box = document.createElement("div");
    const field = document.createElement("input");
    const list = document.createElement("ul");
    let at = -1;
    box.className = "combo";
    list.id = `${select.id}-list`;
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", say("可选项", "Options"));
    Object.assign(field, { type: "text", className: select.className, autocomplete: "off", id: `${select.id}-text` });
    field.value = select.selectedOptions[0] ? select.selectedOptions[0].text.trim() : "";
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-expanded", "false");
    field.setAttribute("aria-controls", list.id);
    const label = document.querySelector(`label[for="${select.id}"]`);
    if (label) { label.htmlFor = field.id; }
    if (select.required) { field.required = true; select.required = false; }
    const close = () => { list.hidden = true; at = -1; field.setAttribute("aria-expanded", "false"); field.removeAttribute("aria-activedescendant"); };
    const choose = (option) => { select.value = option.value; field.value = option.text.trim(); close(); select.dispatchEvent(new Event("change", { bubbles: true })); };
    const show = (typed) => {
      const words = typed.trim().toLowerCase();
      const found = Array.from(select.options).filter((o) => o.text.trim() && (!words || o.text.toLowerCase().includes(words))).slice(0, 60);
      list.replaceChildren(...found.map((option, n) => {
        const item = Object.assign(document.createElement("li"), { textContent: option.text, id: `${list.id}-${n}` });
        item.setAttribute("role", "option");
        item.onmousedown = (event) => { event.preventDefault(); choose(option); };
        item.option = option;
        return item;
      }));
      list.hidden = found.length === 0;
      at = -1;
      field.setAttribute("aria-expanded", String(!list.hidden));
    };
    const mark = (n) => {
      const items = Array.from(list.children);
      if (!items.length) return;
      at = (n + items.length) % items.length;
      items.forEach((item, i) => item.setAttribute("aria-selected", i === at));
      items[at].scrollIntoView({ block: "nearest" });
      field.setAttribute("aria-activedescendant", items[at].id);
    };
    field.addEventListener("focus", () => { field.select(); });
    field.addEventListener("click", () => show(""));
    field.addEventListener("input", () => { show(field.value); if (!field.value) select.value = ""; });
    field.addEventListener("blur", () => { close(); const now = select.selectedOptions[0]; field.value = now ? now.text.trim() : ""; });
    field.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") { event.preventDefault(); if (list.hidden) show(""); mark(at + 1); }
      if (event.key === "ArrowUp") { event.preventDefault(); mark(at - 1); }
      if (event.key === "Enter" && !list.hidden) { event.preventDefault(); const item = list.children[at < 0 ? 0 : at]; if (item) choose(item.option); }
      if (event.key === "Escape") close();
    });
    select.hidden = true;
    box.append(field, list);
    select.after(box);
  }

  // --- fields that belong to one choice only: <div data-shown-by="name" data-shown-for="one two">
  function showFitting(form) {
    form.querySelectorAll("[data-shown-by]").forEach((part) => {
      const chosen = form.elements[part.dataset.shownBy];
      part.hidden = !part.dataset.shownFor.split(" ").includes(chosen.value);
    });
  }
  document.addEventListener("change", (event) => { if (event.target.form) showFitting(event.target.form); });

  // --- charts: <figure data-chart='{"…"}'>, with a table beside it that says the same
  function draw(figure) {
    const chart = window.echarts.init(figure, null, { renderer: "canvas" });
    const option = JSON.parse(figure.dataset.chart);
    option.animation = false;
    option.tooltip = Object.assign({ renderMode: "richText" }, option.tooltip);
    option.textStyle = Object.assign({ fontFamily: getComputedStyle(document.body).fontFamily }, option.textStyle);
    chart.setOption(option);
    new ResizeObserver(() => chart.resize()).observe(figure);
  }
  function drawAll(root) {
    const figures = root.querySelectorAll("figure[data-chart]:not([data-drawn])");
    figures.forEach((figure) => { figure.dataset.drawn = "1"; if (window.echarts) draw(figure); });
  }

  // --- typing keeps the session awake
  const alive = document.body.dataset.alive;
  let typed = false;
  if (alive) {
    document.addEventListener("input", () => { typed = true; });
    setInterval(() => { if (typed) { typed = false; fetch(alive, { credentials: "same-origin" }); } }, 240000);
  }

  // --- start, and whatever htmx brings in later
  function begin(root) {
    root.querySelectorAll("select[data-search]:not([hidden])").forEach(searchable);
    root.querySelectorAll("form[data-picks]").forEach(showPicked);
    root.querySelectorAll("form").forEach(showFitting);
    drawAll(root);
  }
  document.body.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRFToken"] = token(); });
  document.body.addEventListener("htmx:afterSwap", (event) => begin(event.detail.elt.parentElement || document));
  begin(document);
})();
