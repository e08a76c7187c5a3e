// Pictures of workflows: the vendored viewer draws what the server wrote; marks of a run are laid over it and renewed.
(function () {
  "use strict";
  if (!window.BpmnJS) return;
  const MARKS = ["done", "partly", "now", "waits", "again", "failed", "skipped"];
  const SMALLEST = 0.6;

  // the whole picture where it can still be read, else its beginning
  function fit(canvas) {
    canvas.resized();
    canvas.zoom("fit-viewport", "auto");
    if (canvas.zoom() >= SMALLEST) return false;
    const box = canvas.viewbox();
    canvas.viewbox({ x: box.inner.x - 20, y: box.inner.y - 20, width: box.outer.width / SMALLEST, height: box.outer.height / SMALLEST });
    return true;
  }
  // where a run stands: what failed, else what is at work or waits
  function look(viewer) {
    const run = document.getElementById("run");
    const marks = run ? Object.entries(JSON.parse(run.dataset.marks)) : [];
    const found = ["failed", "again", "now", "waits"].flatMap((mark) => marks.filter(([, told]) => told.mark === mark))
      .find(([id]) => viewer.get("elementRegistry").get(id));
    if (found) viewer.get("canvas").scrollToElement(found[0], 60);
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
        const isCut = fit(canvas);
        show(viewer);
        if (isCut) look(viewer);
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
