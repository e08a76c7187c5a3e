// The keying desk without a mouse: keys, focus, and giving the sheet back. htmx brings the work area.
(function () {
  "use strict";
  const work = document.querySelector("[data-keying]");
  if (!work) return;
  const english = document.documentElement.lang === "en";
  const trouble = document.getElementById("trouble");

  function arrived() {
    const first = work.querySelector("[data-first]");
    if (first) first.focus();
    if (first && first.value && first.tagName === "INPUT") first.setSelectionRange(first.value.length, first.value.length);
  }
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== work) return;
    trouble.hidden = true;
    window.htmx.process(work);
    arrived();
  });
  // what was keyed never stands in an address, even where htmx did not answer
  work.addEventListener("submit", (event) => event.preventDefault());

  function failed(event) {
    const status = event.detail.xhr ? event.detail.xhr.status : 0;
    const away = status === 401 || status === 400;
    trouble.textContent = away
      ? (english ? "This field was not saved: please sign in again in another tab, then press Enter once more. Earlier fields are kept." : "这一项没有保存：登录已失效。请在另一个标签页重新登录，再按一次回车；之前录的都已保存。")
      : (english ? "This field was not saved: the server does not answer. What you typed is still here; please try again." : "这一项没有保存：服务器没有应答。录入的内容还在，请稍后再按一次回车。");
    trouble.hidden = false;
  }
  document.body.addEventListener("htmx:responseError", failed);
  document.body.addEventListener("htmx:sendError", failed);

  function named(event) {
    const letter = event.altKey && /^(Key|Digit)/.test(event.code) ? event.code.slice(-1) : event.key;
    return `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${letter.toLowerCase()}`;
  }
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || event.repeat) return;
    const typing = event.target.matches("input");
    const pressed = named(event);
    if (typing && (pressed.length === 1 || (pressed === "ctrl+z" && event.target.value))) return;
    const button = work.querySelector(`[data-key="${window.CSS.escape(pressed)}"]`);
    if (button) { event.preventDefault(); button.click(); }
  });

  // whoever closes the page gives the sheet back; if the browser dies, its time runs out
  window.addEventListener("pagehide", () => {
    const form = new FormData();
    form.append("csrf_token", document.querySelector("meta[name=csrf-token]").content);
    navigator.sendBeacon(work.dataset.release, form);
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
