// The review screen. What is clear is fetched only while a key or a finger holds it, drawn into a canvas, and wiped on release: no
// element ever holds an address of a clear picture, so neither the browser's caches nor its history can.
const root = document.getElementById("review");
const grid = document.getElementById("grid");
const said = document.getElementById("said");
const cover = document.getElementById("cover");
const tiles = Array.from(grid.querySelectorAll(".tile"));
const keys = new Map(Array.from(document.querySelectorAll("#legend [data-grade]"), (key) => [key.dataset.key, key.dataset.grade]));
const coverAfter = Number(root.dataset.coverAfter) * 1000;
const longest = Number(root.dataset.longestPress) * 1000;

let at = 0;
let lastKey = Date.now();
let held = null;

// One request after the other, in the order of the keys: an undo must never overtake the grade that it takes back.
let line = Promise.resolve();
function send(act, body) {
  const answer = line.then(() => post(act, body));
  line = answer.catch(() => {});
  return answer;
}

async function post(act, body, keepalive = false) {
  const fields = new URLSearchParams({ csrf: root.dataset.csrf, batch: root.dataset.batch, ...body });
  const answer = await fetch(`${root.dataset.at}/${act}`, { method: "POST", keepalive, body: fields });
  if (!answer.ok) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const why = page.querySelector("main p");
    throw new Error(why ? why.textContent : `the server answered ${answer.status}`);
  }
  return answer;
}

function say(text, trouble = false) {
  said.textContent = text;
  said.classList.toggle("trouble", trouble);
}

function columns() {
  const top = tiles[0] ? tiles[0].offsetTop : 0;
  const first = tiles.findIndex((tile) => tile.offsetTop !== top);
  return first < 1 ? tiles.length || 1 : first;
}

function focusOn(n) {
  if (tiles.length === 0) return;
  release();
  at = Math.max(0, Math.min(tiles.length - 1, n));
  tiles.forEach((tile, i) => {
    tile.tabIndex = i === at ? 0 : -1;
    tile.setAttribute("aria-current", i === at ? "true" : "false");
  });
  tiles[at].focus();
}

function open() {
  return tiles.findIndex((tile) => tile.dataset.done !== "yes");
}

// After a decision: the next tile without one, else the end of the page.
function onward() {
  const next = tiles.findIndex((tile, i) => i > at && tile.dataset.done !== "yes");
  if (next >= 0) focusOn(next);
  else if (open() >= 0) focusOn(open());
  else line.then(() => location.assign(`${root.dataset.at}/pause`));
}

function mark(tile, done, words, state) {
  tile.dataset.done = done ? "yes" : "no";
  tile.dataset.state = state;
  tile.querySelector(".decision").textContent = words;
}

async function decide(tile, act, body, words) {
  const before = [tile.dataset.done === "yes", tile.querySelector(".decision").textContent, tile.dataset.state];
  mark(tile, true, words, act === "vote" ? "decided" : tile.dataset.state);
  try {
    const answer = await (await send(act, { item: tile.dataset.item, ...body })).json();
    if (answer.said) say(answer.said);
    if (answer.state) tile.dataset.state = answer.state;
    counts(answer);
  } catch (error) {
    mark(tile, ...before);
    say(`Not recorded: ${error.message}`, true);
  }
}

function counts(answer) {
  for (const name of ["done", "left", "today"]) {
    const place = document.getElementById(`count-${name}`);
    if (place && answer[name] !== undefined) place.textContent = answer[name];
  }
}

function nameOf(code) {
  const key = document.querySelector(`#legend [data-grade="${CSS.escape(code)}"]`);
  return key ? key.dataset.name : code;
}

function grade(tile, code) {
  decide(tile, "vote", { grade: code }, nameOf(code));
  onward();
}

function clearSize() {
  return document.getElementById("size").value;
}

async function hold(tile) {
  if (held || !tile || cover.open || !tile.querySelector("img")) return;
  const mine = { tile, cancelled: false, begun: false };
  held = mine;
  mine.timer = setTimeout(release, longest);
  try {
    const answer = await post("clear", { item: tile.dataset.item, size: clearSize() });
    mine.begun = true;
    const picture = await createImageBitmap(await answer.blob());
    if (mine.cancelled) {
      picture.close();
      end(mine);
      return;
    }
    const canvas = tile.querySelector("canvas");
    canvas.width = picture.width;
    canvas.height = picture.height;
    canvas.getContext("2d").drawImage(picture, 0, 0);
    picture.close();
    canvas.hidden = false;
    tile.classList.add("clear");
  } catch (error) {
    say(`Cannot be shown: ${error.message}`, true);
    release();
  }
}

function end(view) {
  if (view.begun) post("clear-end", {}, true).catch(() => say("The end of a clear view could not be recorded.", true));
  view.begun = false;
}

function release() {
  if (!held) return;
  const mine = held;
  held = null;
  clearTimeout(mine.timer);
  mine.cancelled = true;
  const canvas = mine.tile.querySelector("canvas");
  canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  canvas.width = canvas.height = 1;
  canvas.hidden = true;
  mine.tile.classList.remove("clear");
  end(mine);
}

function hide() {
  release();
  if (!cover.open) cover.showModal();
}

// G: every member of the group as a veiled tile. Only what was on the screen can be accepted with one grade.
async function members(tile) {
  if (tile.dataset.group !== "yes") {
    say("No other picture here looks the same as this one.");
    return;
  }
  const dialog = document.getElementById("members");
  try {
    const { words, members: all, proposed, first } = await (await send("members", { item: tile.dataset.item })).json();
    dialog.querySelector(".places").textContent = words;
    dialog.querySelector(".members").replaceChildren(
      ...all.map((member) => {
        const item = document.createElement("li");
        const facts = document.createElement("p");
        facts.textContent = member.tile ? member.facts : `${member.facts} · no small picture`;
        if (member.tile) {
          const picture = document.createElement("img");
          picture.alt = "";
          picture.src = `${root.dataset.at}/tile/${root.dataset.batch}/${member.item}`;
          item.append(picture);
        }
        item.append(facts);
        return item;
      }),
    );
    const button = dialog.querySelector('[value="accept"]');
    button.hidden = !proposed;
    button.textContent = proposed ? `Accept “${nameOf(proposed)}” for all` : "";
    dialog.onclose = () => {
      dialog.querySelector(".members").replaceChildren();
      if (dialog.returnValue === "accept" && proposed) accept(first, proposed);
      tile.focus();
    };
    dialog.returnValue = "";
    dialog.showModal();
    if (!proposed) say("Grade the first picture of the group first; then its grade can be accepted for the others.");
  } catch (error) {
    say(`Cannot be listed: ${error.message}`, true);
  }
}

async function accept(first, proposed) {
  try {
    const answer = await (await send("accept", { item: first })).json();
    say(answer.said);
    counts(answer);
    tiles
      .filter((tile) => answer.items.includes(Number(tile.dataset.item)))
      .forEach((tile) => mark(tile, true, `${nameOf(proposed)} (accepted in group)`, "decided"));
    if (open() < 0) onward();
  } catch (error) {
    say(`Not accepted: ${error.message}`, true);
  }
}

function note(tile) {
  const dialog = document.getElementById("note");
  const text = dialog.querySelector("textarea");
  text.value = "";
  dialog.showModal();
  dialog.onclose = () => {
    if (dialog.returnValue === "keep" && text.value.trim() !== "") {
      decideQuietly(tile, "note", { note: text.value.trim() });
    }
    tile.focus();
  };
}

async function decideQuietly(tile, act, body) {
  try {
    const answer = await (await send(act, { item: tile.dataset.item, ...body })).json();
    if (answer.said) say(answer.said);
    counts(answer);
  } catch (error) {
    say(`Not recorded: ${error.message}`, true);
  }
}

async function undo() {
  try {
    const answer = await (await send("undo", {})).json();
    say(answer.said);
    counts(answer);
    const tile = tiles.find((one) => answer.item !== null && Number(one.dataset.item) === answer.item);
    if (tile) {
      mark(tile, false, "", answer.state ?? "open");
      focusOn(tiles.indexOf(tile));
    } else if (answer.elsewhere) {
      location.reload();
    }
  } catch (error) {
    say(`Nothing was undone: ${error.message}`, true);
  }
}

function noneOfThese() {
  const dialog = document.getElementById("none");
  const rest = tiles.filter((tile) => tile.dataset.done !== "yes" && tile.dataset.group !== "yes");
  dialog.querySelector(".number").textContent = String(rest.length);
  dialog.showModal();
  dialog.onclose = () => {
    if (dialog.returnValue !== "yes") return;
    const code = root.dataset.none;
    rest.forEach((tile) => decide(tile, "vote", { grade: code }, nameOf(code)));
    onward();
  };
}

document.addEventListener("keydown", (event) => {
  lastKey = Date.now();
  if (document.querySelector("dialog[open]") || event.ctrlKey || event.altKey || event.metaKey) return;
  if (["SELECT", "INPUT", "TEXTAREA", "A", "BUTTON"].includes(document.activeElement.tagName)) return;
  const tile = tiles[at];
  if (!tile) return;
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns(), Home: -tiles.length, End: tiles.length };
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  if (key in moves) focusOn(at + moves[key]);
  else if (key === " ") {
    if (!event.repeat) hold(tile);
  } else if (event.repeat) return;
  else if (key === "U") undo();
  else if (key === "F") decideQuietly(tile, "flag", {});
  else if (key === "V") decideQuietly(tile, "identify", {});
  else if (key === "N") note(tile);
  else if (key === "G") members(tile);
  else if (key === "S") {
    decide(tile, "skip", {}, "Skipped");
    onward();
  } else if (key === "X") noneOfThese();
  else if (keys.has(key)) grade(tile, keys.get(key));
  else return;
  event.preventDefault();
});
document.addEventListener("keyup", (event) => {
  if (event.key === " ") {
    release();
    event.preventDefault();
  }
});

tiles.forEach((tile, n) => {
  tile.addEventListener("click", (event) => {
    if (!event.target.closest("button")) focusOn(n);
  });
  // For a tablet: clear while the finger rests on the button, five seconds at most.
  const show = tile.querySelector(".show");
  show.addEventListener("pointerdown", (event) => {
    lastKey = Date.now();
    event.preventDefault();
    focusOn(n);
    hold(tile);
  });
  for (const kind of ["pointerup", "pointercancel", "pointerleave"]) show.addEventListener(kind, release);
  tile.querySelector("canvas").addEventListener("contextmenu", (event) => event.preventDefault());
});

window.addEventListener("blur", hide);
document.addEventListener("visibilitychange", () => document.hidden && hide());
window.addEventListener("pagehide", release);
cover.addEventListener("close", () => {
  lastKey = Date.now();
  if (tiles[at]) tiles[at].focus();
});
setInterval(() => {
  if (Date.now() - lastKey > coverAfter) hide();
}, 1000);
document.getElementById("size").addEventListener("change", () => tiles[at] && tiles[at].focus());
focusOn(Math.max(0, open()));
