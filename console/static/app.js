// Keeps the page current: once a second it asks for the state, and when that has
// changed it fetches the page's changing part and exchanges the sections that
// differ. What the reader opened or scrolled stays as it was.
"use strict";

const period = 1000;
let shown = document.getElementById("main").dataset.moment;
let lastAnswer = Date.now();

// get asks for something of this server and gives up after a while.
async function get(path) {
  const answer = await fetch(path, { cache: "no-cache", signal: AbortSignal.timeout(10 * period) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

// keep notes what is open and how far lists are scrolled, and returns what
// restores it in the exchanged section.
function keep(section) {
  const open = new Set([...section.querySelectorAll("details[open]")].map((d) => d.dataset.key));
  const scrolled = [...section.querySelectorAll("[data-keep]")].map((e) => [e.dataset.keep, e.scrollTop]);
  return (next) => {
    for (const d of next.querySelectorAll("details")) d.open = open.has(d.dataset.key);
    for (const [name, top] of scrolled) {
      const e = next.querySelector(`[data-keep="${CSS.escape(name)}"]`);
      if (e) e.scrollTop = top;
    }
  };
}

// received is each section as the server sent it, before a reader opened anything.
const received = new Map();

function exchange(html) {
  const next = new DOMParser().parseFromString(html, "text/html").getElementById("main");
  const main = document.getElementById("main");
  const names = (root) => [...root.querySelectorAll("[data-part]")].map((e) => e.dataset.part).join();
  if (names(next) !== names(main)) {
    main.replaceWith(document.adoptNode(next));
    received.clear();
    return;
  }
  for (const part of next.querySelectorAll("[data-part]")) {
    const name = part.dataset.part;
    const text = part.outerHTML;
    if (received.get(name) === text) continue;
    received.set(name, text);
    const old = main.querySelector(`[data-part="${name}"]`);
    const restore = keep(old);
    const fresh = document.adoptNode(part);
    old.replaceWith(fresh);
    restore(fresh);
  }
}

function lost() {
  const pulse = document.getElementById("pulse");
  if (!pulse) return;
  pulse.classList.add("lost");
  const seconds = Math.round((Date.now() - lastAnswer) / 1000);
  pulse.querySelector("span").textContent = `no answer for ${seconds} s`;
}

async function refresh() {
  try {
    const state = await (await get("/api/state")).json();
    const recovered = document.querySelector("#pulse.lost") !== null;
    const moment = `${state.revision} ${state.ready}`;
    if (moment !== shown || recovered) {
      if (recovered) received.clear();
      exchange(await (await get("/part" + location.search)).text());
      shown = moment;
    }
    lastAnswer = Date.now();
  } catch {
    lost();
  }
  setTimeout(refresh, document.hidden ? 5 * period : period);
}

setTimeout(refresh, period);
