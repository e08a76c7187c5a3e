// The visit form: what was typed selects "changed"; answers are asked only where somebody was met.
(() => {
  const form = document.querySelector("[data-visit-form]");
  if (!form) return;
  const answers = form.querySelector("[data-answers]");
  const show = () => {
    const chosen = form.querySelector("input[name=result]:checked");
    answers.hidden = Boolean(chosen) && chosen.dataset.reached === "no";
    answers.disabled = answers.hidden;
  };
  form.addEventListener("input", (event) => {
    const line = event.target.closest(".phone-line");
    if (line && event.target.name.startsWith("text_") && event.target.value.trim()) {
      line.querySelector("input[value=new]").checked = true;
    }
    if (line && event.target.type === "radio" && event.target.value !== "new") {
      line.querySelector("input.form-control").value = "";
    }
    if (event.target.name === "result") show();
  });
  form.addEventListener("submit", () => {
    form.querySelector("[type=submit]").disabled = true;
  });
  show();
})();
