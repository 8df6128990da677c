// What every page of somebody who is signed in does by itself: it warns before the session ends, and shows how far long work is.
// What it asks keeps no session alive; only the button does.
const dialog = document.getElementById("session-end");
const shown = document.getElementById("session-left");

// The page of somebody who is signed out is taken away: the next person at this desk must not read it.
function away() {
  location.replace(`/sign-in?to=${encodeURIComponent(location.pathname)}`);
}

async function session(stay = false) {
  const body = stay ? new URLSearchParams({ csrf: dialog.dataset.csrf }) : undefined;
  const answer = await fetch("/session", { method: stay ? "POST" : "GET", body, redirect: "manual", cache: "no-store" });
  if (!answer.ok) return null;
  return answer.json();
}

function words(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (seconds >= 120) return `${minutes} minutes`;
  return seconds === 1 ? "1 second" : `${seconds} seconds`;
}

let ticking = null;

async function look(stay = false) {
  clearTimeout(ticking);
  let state;
  try {
    state = await session(stay);
  } catch {
    // The server cannot be reached: the session is its own business, and is asked for again.
    ticking = setTimeout(() => look(), 30000);
    return;
  }
  if (!state) return away();
  if (state.left > state.warn) {
    if (dialog.open) dialog.close();
    ticking = setTimeout(() => look(), (state.left - state.warn + 1) * 1000);
    return;
  }
  if (!dialog.open) {
    dialog.showModal();
    document.getElementById("session-stay").focus();
  }
  const until = Date.now() + state.left * 1000;
  let asked = Date.now();
  const tick = () => {
    const left = Math.max(0, Math.ceil((until - Date.now()) / 1000));
    // Not at each second: a screen reader would say nothing else.
    if (left >= 120 || left % 15 === 0 || left < 10) shown.textContent = words(left);
    if (left === 0) return look();
    // Another page of the same person may be in use.
    if (Date.now() - asked > 15000) {
      asked = Date.now();
      return look();
    }
    ticking = setTimeout(tick, 1000);
  };
  shown.textContent = words(Math.ceil(state.left));
  ticking = setTimeout(tick, 1000);
}

if (dialog) {
  document.getElementById("session-stay").addEventListener("click", () => look(true));
  document.getElementById("session-go").addEventListener("click", async () => {
    await fetch("/sign-out", { method: "POST", body: new URLSearchParams({ csrf: dialog.dataset.csrf }), redirect: "manual" });
    away();
  });
  // Escape is no answer to the question.
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  ticking = setTimeout(() => look(), Math.max(1, Number(dialog.dataset.left) - Number(dialog.dataset.warn) + 1) * 1000);
}

const job = document.getElementById("job");

async function far() {
  try {
    const answer = await fetch(job.dataset.progress, { redirect: "manual", cache: "no-store" });
    if (!answer.ok) return;
    const state = await answer.json();
    const bar = document.getElementById("job-far");
    if (state.ended || (state.running && !bar)) return location.reload();
    document.getElementById("job-said").textContent = state.said;
    if (bar && state.share !== null) bar.value = state.share;
  } catch {
    // It goes on without being watched.
  }
  setTimeout(far, 2000);
}

if (job && job.dataset.progress) setTimeout(far, 1000);
