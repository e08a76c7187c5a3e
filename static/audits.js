// Keying verdicts without a mouse: a digit in the verdict of a row chooses it and goes on to the next row.
document.addEventListener("keydown", (event) => {
  const field = event.target.closest("select[data-verdict]");
  if (!field || event.ctrlKey || event.altKey || event.metaKey || !/^[0-5]$/.test(event.key)) return;
  const option = [...field.options].find((one) => one.text.startsWith(`${event.key} `));
  if (!option) return;
  event.preventDefault();
  field.value = option.value;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  const all = [...document.querySelectorAll("select[data-verdict]")].filter((one) => one.offsetParent);
  const next = all[all.indexOf(field) + 1];
  if (next && event.key !== "2") next.focus();
  if (event.key === "2") field.closest("tr").querySelector("input[name^=correct]").focus();
});
