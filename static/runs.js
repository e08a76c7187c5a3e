// Pictures of workflows: the vendored viewer draws what the server wrote; marks of a run are laid over it and renewed.
(function () {
  "use strict";
  if (!window.BpmnJS) return;
  const MARKS = ["done", "partly", "now", "waits", "again", "failed", "skipped"];

  function fit(canvas) {
    canvas.resized();
    canvas.zoom("fit-viewport", "auto");
    if (canvas.zoom() < 0.6) canvas.zoom(0.6, { x: 0, y: canvas.getContainer().clientHeight / 2 });
  }

  function show(viewer) {
    const run = document.getElementById("run");
    if (!run) return;
    const canvas = viewer.get("canvas");
    const overlays = viewer.get("overlays");
    const registry = viewer.get("elementRegistry");
    overlays.remove({ type: "mark" });
    Object.entries(JSON.parse(run.dataset.marks)).forEach(([id, told]) => {
      if (!registry.get(id)) return;
      MARKS.forEach((mark) => canvas.removeMarker(id, mark));
      canvas.addMarker(id, told.mark);
      const sign = Object.assign(document.createElement("span"), { className: `mark ${told.mark}`, textContent: told.sign, title: told.label });
      overlays.add(id, "mark", { position: { top: -11, right: 11 }, html: sign });
    });
  }

  function draw(place) {
    const viewer = new window.BpmnJS({ container: place });
    fetch(place.dataset.bpmn, { credentials: "same-origin" })
      .then((answer) => (answer.ok ? answer.text() : Promise.reject(answer.status)))
      .then((xml) => viewer.importXML(xml))
      .then(() => {
        const canvas = viewer.get("canvas");
        const tools = place.closest("section").querySelector(".picture-tools");
        fit(canvas);
        show(viewer);
        tools.hidden = false;
        tools.addEventListener("click", (event) => {
          const way = event.target.dataset.zoom;
          if (way === "fit") { canvas.resized(); canvas.zoom("fit-viewport", "auto"); }
          else if (way) viewer.get("zoomScroll").stepZoom(way === "in" ? 1 : -1);
        });
        document.body.addEventListener("htmx:afterSettle", () => show(viewer));
        place.dataset.drawn = "1";
      })
      .catch(() => { place.textContent = place.dataset.broken; });
  }
  document.querySelectorAll("[data-bpmn]").forEach(draw);
})();
