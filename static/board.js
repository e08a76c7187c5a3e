// The wall screen: asks for the revision, fetches the rows when it moved, and turns pages of ten rows.
(() => {
  const ASK = 2500, TURN = 15000, ROWS = 10;
  const board = document.getElementById("board");
  const late = document.getElementById("late");
  let page = 0;

  const turn = () => {
    const tall = window.matchMedia("(max-width: 900px)").matches;
    for (const list of board.querySelectorAll("[data-turns]")) {
      const rows = [...list.children];
      const pages = Math.max(1, Math.ceil(rows.length / ROWS));
      rows.forEach((row, at) => { row.hidden = !tall && Math.floor(at / ROWS) !== page % pages; });
    }
  };

  const shown = () => board.querySelector("[data-revision]").dataset.revision;

  const ask = async () => {
    try {
      const answer = await fetch(board.dataset.revisionAt, { credentials: "omit", cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const { revision } = await answer.json();
      if (String(revision) !== shown()) {
        const rows = await fetch(board.dataset.rows, { credentials: "same-origin", cache: "no-store" });
        if (!rows.ok) throw new Error(String(rows.status));
        board.innerHTML = await rows.text();
        turn();
      }
      late.hidden = true;
    } catch {
      late.hidden = false;
    }
    window.setTimeout(ask, ASK);
  };

  turn();
  window.setInterval(() => { page += 1; turn(); }, TURN);
  window.setTimeout(ask, ASK);
})();
