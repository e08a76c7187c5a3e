// The cards of a workflow: the vendored designer draws, the server keeps. Every change is posted as order and nesting
// only, with the revision that was seen; what nodes say is changed by their own forms. Whoever was slower reloads.
(function () {
  "use strict";
  const root = document.getElementById("cards");
  const swd = window.sequentialWorkflowDesigner;
  if (!root || !swd) return;
  const words = JSON.parse(root.dataset.words);
  const offers = JSON.parse(root.dataset.offers);
  const readonly = !root.dataset.tree;
  const token = () => document.querySelector("meta[name=csrf-token]").content;
  const message = document.getElementById("cards-message");
  const pane = document.createElement("div");
  let revision = Number(root.dataset.revision || 0);
  let saving = Promise.resolve();
  let waiting = 0;
  let drawn = "";
  let paneOf = "";
  let designer = null;
  let shaped = "";

  // --- nodes of the server to steps of the designer, and back to order and nesting
  const ARMS = { branch: ["yes", "no"], each: ["do"], parallel: ["lane1", "lane2"] };
  const labelOf = (arm, at) => ({ yes: words.yes, no: words.no, do: words.each }[arm] || `${words.lane} ${at + 1}`);

  function step(id, key, kind, name, arms, extra) {
    const made = { id, type: key, name, properties: Object.assign({ node: id, kind, arms: arms.map((one) => one.arm) }, extra) };
    if (!arms.length) return Object.assign(made, { componentType: "task" });
    if (arms.length === 1 && arms[0].arm === "do") return Object.assign(made, { componentType: "container", sequence: arms[0].nodes });
    const branches = {};
    arms.forEach((one, at) => {
      let label = one.label || labelOf(one.arm, at);
      while (label in branches || /^\d+$/.test(label)) label += " ";  // a bare number would be sorted before the others
      branches[label] = one.nodes;
    });
    return Object.assign(made, { componentType: "switch", branches });
  }
  function fromNode(node) {
    const arms = node.arms.map((one) => ({ arm: one.arm, label: one.label, nodes: one.nodes.map(fromNode) }));
    return step(node.id, node.key, node.kind, node.name, arms, { wrong: node.wrong, text: node.text });
  }
  const sequencesOf = (one) => (one.componentType === "switch" ? Object.values(one.branches) : one.componentType === "container" ? [one.sequence] : []);
  function toShape(one) {
    const arms = {};
    sequencesOf(one).forEach((sequence, at) => { arms[one.properties.arms[at]] = sequence.map(toShape); });
    const shape = { id: one.id, arms };
    if (one.properties.node !== one.id) {
      if (one.properties.node) shape.copy_of = one.properties.node;
      else shape.key = one.type;
    }
    return shape;
  }
  const definitionOf = (nodes) => ({ properties: {}, sequence: nodes.map(fromNode) });
  const shapeOf = (definition) => definition.sequence.map(toShape);

  // --- saving, one after the other; the answer is the tree as it is now
  function say(text) {
    message.textContent = text || "";
    message.hidden = !text;
  }
  function post(what) {
    return fetch(root.dataset.arrange, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
      body: JSON.stringify(Object.assign({ revision }, what)),
    }).then((answer) => (answer.headers.get("Content-Type") || "").includes("json") ? answer.json() : Promise.reject(answer.status));
  }
  function save(what) {
    waiting += 1;
    saving = saving.then(() => post(what())).then(take, () => say(words.slow)).finally(() => { waiting -= 1; });
    return saving;
  }
  function take(answer) {
    revision = answer.revision;
    if (waiting > 1 && !answer.message) {  // a later change is under way and brings its own answer, to be drawn
      drawn = "";
      return;
    }
    say(answer.message);
    showSteps(answer);
    if (JSON.stringify(answer.nodes) !== drawn) draw(answer.nodes);
    if (answer.message) reload();
    const shown = pane.querySelector("[name=revision]");
    if (shown) shown.value = revision;
  }
  function reload() {
    const chosen = designer.getSelectedStepId();
    paneOf = "";
    if (chosen) editorOf({ id: chosen });
  }
  function draw(nodes) {
    const chosen = designer.getSelectedStepId();
    drawn = JSON.stringify(nodes);
    const definition = definitionOf(nodes);
    shaped = JSON.stringify(shapeOf(definition));
    designer.replaceDefinition(definition);
    if (chosen && !drawn.includes(`"id":"${chosen}"`)) designer.clearSelectedStep();
  }
  function showSteps(answer) {
    const form = document.getElementById("undo");
    form.elements.revision.value = revision;
    form.querySelectorAll("button").forEach((button) => {
      const said = answer[button.value];
      button.disabled = !said;
      button.title = said;
      button.querySelector(".sr").textContent = ` ${said}`;
    });
    const problems = document.getElementById("problems");
    problems.textContent = answer.problems ? problems.dataset.some.replace("{n}", answer.problems) : problems.dataset.none;
    problems.className = `state ${answer.problems ? "warn" : "good"}`;
  }
  const refresh = () => saving.then(() => fetch(root.dataset.tree, { credentials: "same-origin" })).then((answer) => answer.json()).then(take);

  // --- beside the cards: the form of the chosen node, the same one as in the list
  function editorOf(one) {
    if (readonly) return Object.assign(document.createElement("p"), { className: "pane-text", textContent: one.properties.text || words.empty });
    if (paneOf !== one.id) {
      paneOf = one.id;
      pane.replaceChildren();
      const id = one.id;
      setTimeout(() => saving.then(() => {
        if (paneOf === id) window.htmx.ajax("GET", `${root.dataset.node.replace("NODE", id)}?pane=1`, { target: pane, swap: "innerHTML" });
      }));
    }
    return pane;
  }
  function rootEditor() {
    paneOf = "";
    return Object.assign(document.createElement("p"), { className: "pane-text", textContent: words.pick });
  }

  // --- a small picture on each card, so that people, waits and steps are told apart without colour
  const PICTURES = {
    person: '<circle cx="12" cy="8" r="4"/><path d="M4 21c0-5 3.5-8 8-8s8 3 8 8"/>',
    wait: '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l4 2"/>',
    step: '<rect x="4" y="4" width="16" height="16" rx="3"/><path d="M8 12l3 3 5-6"/>',
  };
  const pictureOf = (type) => `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#0b626b" stroke-width="2">${PICTURES[type] || PICTURES.step}</svg>`)}`;

  // --- the words of the designer
  const TEXTS = {
    "toolbox.title": words.toolbox, "toolbox.search": words.search, "controlBar.resetView": words.reset, "contextMenu.resetView": words.reset,
    "controlBar.zoomIn": words.zoomIn, "controlBar.zoomOut": words.zoomOut, "controlBar.undo": words.undo, "controlBar.redo": words.redo,
    "controlBar.turnOnOffDragAndDrop": words.drag, "controlBar.deleteSelectedStep": words.remove, "contextMenu.delete": words.remove,
    "contextMenu.unselect": words.unselect, "contextMenu.select": words.select, "contextMenu.duplicate": words.duplicate, "smartEditor.toggle": words.toggle,
  };
  const offered = (one) => {
    const arms = (ARMS[one.key] || []).map((arm, at) => ({ arm, label: labelOf(arm, at), nodes: [] }));
    return Object.assign(step("", one.key, one.key in ARMS ? one.key : "", one.label, arms, { help: one.help }), { id: undefined });
  };
  const groups = offers.map((group) => ({ name: group.label, steps: group.offers.map(offered) }));
  const nodes = JSON.parse(root.dataset.nodes);
  drawn = JSON.stringify(nodes);
  designer = swd.Designer.create(root, definitionOf(nodes), {
    theme: "light",
    isReadonly: readonly,
    undoStackSize: 1,  // needed to replace the tree; undo and redo are the server's, shared with the list
    controlBar: true,
    contextMenu: true,
    steps: { isDuplicable: () => true, iconUrlProvider: (component, type) => pictureOf(type) },
    validator: { step: (one) => !one.properties.wrong, root: () => true },
    toolbox: readonly ? false : { groups, descriptionProvider: (one) => one.properties.help || one.name },
    editors: { isCollapsed: false, stepEditorProvider: editorOf, rootEditorProvider: rootEditor },
    uidGenerator: () => `n${Array.from(crypto.getRandomValues(new Uint8Array(6)), (part) => part.toString(16).padStart(2, "0")).join("")}`,
    i18n: (key, fallback) => TEXTS[key] || fallback,
  });
  window.cards = designer;
  if (readonly) return;
  shaped = JSON.stringify(shapeOf(designer.getDefinition()));
  designer.onDefinitionChanged.subscribe(() => {
    const now = JSON.stringify(shapeOf(designer.getDefinition()));
    if (now === shaped) return;  // what the server sent, drawn
    shaped = now;
    save(() => ({ shape: shapeOf(designer.getDefinition()) }));
  });
  document.body.addEventListener("draft-changed", refresh);
  pane.addEventListener("htmx:responseError", refresh);  // the node has gone meanwhile: show the tree as it is
  document.getElementById("undo").addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const act = event.submitter.value;
    save(() => ({ act })).then(reload);
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
    const act = event.key.toLowerCase() === "y" || (event.shiftKey && event.key.toLowerCase() === "z") ? "redo" : event.key.toLowerCase() === "z" ? "undo" : "";
    if (!act) return;
    event.preventDefault();
    save(() => ({ act })).then(reload);
  });
})();
