// The mail desk without a mouse: scan, keys, focus, sounds. htmx brings the work area; this file only moves within it.
(function () {
  "use strict";
  const english = document.documentElement.lang === "en";
  const desk = document.querySelector("[data-desk]");
  if (!desk) return;
  const trouble = document.getElementById("trouble");

  // --- sounds: one high for done, two low for look here
  let audio = null;
  function tone(frequency, start, length) {
    const source = audio.createOscillator();
    const volume = audio.createGain();
    source.frequency.value = frequency;
    volume.gain.value = 0.08;
    source.connect(volume).connect(audio.destination);
    source.start(audio.currentTime + start);
    source.stop(audio.currentTime + start + length);
  }
  function sound(kind) {
    if (localStorage.getItem("desk-quiet") === "1" || !window.AudioContext) return;
    audio = audio || new AudioContext();
    if (kind === "good") tone(880, 0, 0.09);
    else { tone(220, 0, 0.16); tone(180, 0.2, 0.24); }
  }

  // --- whatever came in: its sound, its focus
  function arrived(root) {
    const heard = root.querySelector("[data-sound]");
    if (heard) sound(heard.dataset.sound);
    const quiet = root.querySelector("[data-quiet]");
    if (quiet) quiet.checked = localStorage.getItem("desk-quiet") === "1";
    if (root.querySelector("[data-rescan]")) toScan();
    if (root === desk) {
      saving = false;
      const first = desk.querySelector(".desk-form [data-first], .desk-form input:not([type=hidden])") || desk.querySelector("#scan");
      if (first) { first.focus(); if (first.value && first.type === "text") first.select(); }
      showUnchanged();
      goOn(heard && heard.dataset.sound === "bad");
    }
  }
  function toScan() {
    const field = document.getElementById("scan");
    field.focus();
    field.select();
  }
  // at once, not when htmx has settled: a scanner types its next code within milliseconds
  document.body.addEventListener("htmx:afterSwap", (event) => {
    // a verdict that comes in late must not hide that the form was not saved
    if (event.detail.target === desk) trouble.hidden = true;
    window.htmx.process(event.detail.target);
    arrived(event.detail.target);
  });
  // no form of the desk is ever sent by the browser itself: what was keyed would stand in an address
  desk.addEventListener("submit", (event) => event.preventDefault());

  // --- nothing was saved: say so, keep what was typed
  function failed(event) {
    saving = false;
    const status = event.detail.xhr ? event.detail.xhr.status : 0;
    const away = status === 401 || status === 400;
    trouble.textContent = away
      ? (english ? "Nothing was saved: please sign in again in another tab, then save once more." : "没有保存：登录已失效。请在另一个标签页重新登录，再回来保存一次。")
      : (english ? "Nothing was saved: the server does not answer. What you typed is still here; please try again." : "没有保存：服务器没有应答。录入的内容还在，请稍后再保存一次。");
    trouble.hidden = false;
    desk.querySelectorAll("button:disabled").forEach((button) => { button.disabled = false; });
    sound("bad");
  }
  document.body.addEventListener("htmx:responseError", failed);
  document.body.addEventListener("htmx:sendError", failed);

  // --- the form: all unchanged dims the rows; a text takes the tick of its row away, a tick its text
  function showUnchanged() {
    const all = desk.querySelector("[data-all]");
    if (all) all.form.classList.toggle("unchanged", all.checked);
  }
  desk.addEventListener("change", (event) => {
    const field = event.target;
    if (field.matches("[data-quiet]")) localStorage.setItem("desk-quiet", field.checked ? "1" : "0");
    if (field.matches("[data-all]")) showUnchanged();
    const row = field.closest("[data-row]");
    if (row && field.type === "checkbox" && field.checked) {
      row.querySelectorAll("input:not([type=checkbox])").forEach((text) => { text.value = ""; });
      row.querySelectorAll(".verdict").forEach((said) => { said.textContent = ""; });
    }
  });
  desk.addEventListener("input", (event) => {
    const row = event.target.closest("[data-row]");
    if (row && event.target.type !== "checkbox" && event.target.value) {
      row.querySelector("[name=same]").checked = false;
      const all = desk.querySelector("[data-all]");
      if (all.checked) { all.checked = false; showUnchanged(); }
    }
  });

  // --- a scanner types far faster than a hand, and wherever the focus is: a run of keys this close is a scan
  const BETWEEN = 45; // milliseconds
  const SHORTEST = 6;
  let run = "";
  let last = 0;
  let timer = 0;
  let waiting = ""; // scanned while the piece before is being saved, and its reason
  let reason = "";
  let saving = false;
  desk.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.target === desk) saving = true; });
  function take(text) {
    if (saving) { waiting = text; return; }
    const field = document.getElementById("scan");
    if (desk.querySelector("#found .found") && field.value !== text) {
      trouble.textContent = english ? "The piece before was not recorded: no reason was pressed. Scan it again." : "上一件没有登记：还没有按原因。请把上一件再扫一次。";
      trouble.hidden = false;
      sound("bad");
    } else trouble.hidden = true;
    field.value = text;
    scanned(field);
  }
  function ended() {
    const text = run;
    run = "";
    if (text.length >= SHORTEST) take(text);
    else if (text.length === 1) digit(text);
  }
  function digit(text) {
    const button = desk.querySelector(`[data-digit="${text}"]`);
    if (saving) { if (waiting) reason = text; } else if (button) button.click();
  }
  function goOn(mistaken) {
    const [text, pressed] = [waiting, reason];
    waiting = reason = "";
    if (text) take(text);
    if (text && pressed && !mistaken) digit(pressed);
  }
  // whether a key belongs to a run that began outside the fields; nothing is typed then, and a digit waits a moment
  function running(event) {
    const soon = event.timeStamp - last < BETWEEN;
    last = event.timeStamp;
    if (event.ctrlKey || event.altKey || event.metaKey || !desk.querySelector("[data-digit]")) return false;
    if (event.key === "Enter" && run && soon) {
      event.preventDefault();
      clearTimeout(timer);
      ended();
      return true;
    }
    if (event.key.length !== 1 || event.key === " ") return run !== "" && event.key === "Shift";
    if (event.target.matches("input, textarea, select") && !(run && soon)) return false;
    event.preventDefault();
    if (event.repeat) return true;
    run = soon ? run + event.key : event.key;
    clearTimeout(timer);
    timer = setTimeout(ended, BETWEEN);
    return true;
  }

  // --- keys
  function next(field) {
    const fields = Array.from(field.form.elements).filter((one) => !one.disabled && one.type !== "hidden" && one.tagName !== "FIELDSET");
    const after = fields[fields.indexOf(field) + 1];
    if (after) after.focus();
  }
  function named(event) {
    const key = event.key === "Enter" ? "enter" : event.key.toLowerCase();
    return `${event.ctrlKey || event.metaKey ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${key}`;
  }
  function scanned(field) {
    if (!field.value.trim()) return;
    window.htmx.trigger(field, "scanned");
    desk.querySelector(field.dataset.scan).focus();
  }
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (running(event)) return;
    const pressed = named(event);
    const button = desk.querySelector(`[data-key="${pressed}"]`);
    if (button) { event.preventDefault(); button.click(); return; }
    const field = event.target;
    if (pressed === "escape" && desk.contains(field)) { event.preventDefault(); toScan(); return; }
    if (pressed !== "enter" || field.tagName !== "INPUT") return;
    if (field.dataset.scan) { event.preventDefault(); scanned(field); return; }
    if (field.closest(".desk-form")) { event.preventDefault(); next(field); }
  });
  arrived(desk);
})();
