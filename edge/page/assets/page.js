// The page of one station. Whatever it shows was told by the station; text goes in as text, never as HTML.
"use strict";

const LOST_MS = 3000; // the station says something every second
const RETRY_MS = 3000;
const DEAD_MS = 10000; // a connection that is silent so long is dead, and nobody has told the browser
const FETCH_MS = 5000;
const RULING_MS = 120000; // a part that is accepted may be taught, and tried against every known defect
const SVG = "http://www.w3.org/2000/svg";
const WORDS = { OK: "ok", NOK: "nok", NOT_DECIDABLE: "undecided" };

const byId = (id) => document.getElementById(id);
const kiosk = document.body.classList.contains("lamp");

let now = null; // the last that was told
let heardMono = 0, heardWall = 0; // when, by two clocks: one may stand still while a tablet sleeps, the other may be set
let boot = null;
let healthy = true;

function text(id, words) {
  const node = byId(id);
  if (node.textContent !== words) node.textContent = words;
}

function make(tag, attributes = {}, words = "") {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (words) node.textContent = words;
  return node;
}

function draw(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function since(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

const silentMs = () => Math.max(performance.now() - heardMono, Date.now() - heardWall);

// As AbortSignal.timeout, which the browsers of older tablets lack.
function timeout(ms) {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), ms);
  return controller.signal;
}

// ---- lamp

function showLamp() {
  const lost = now === null || silentMs() > LOST_MS;
  const lamp = lost ? "lost" : now.lamp;
  byId("lamp").className = lamp;
  document.body.dataset.lamp = lamp;
  text("word", lost ? "NO CONNECTION" : now.word);
  text("reason", lost ? "Is the station running? This page tries again by itself" : now.reason);
  text("link", lost ? "no connection" : `connected, ${healthy ? "healthy" : "not healthy: see below"}`);
  byId("link").className = lost || !healthy ? "bad" : "good";
  text("part", now === null || now.seq === null ? "" : partWords(lost));
  document.title = `${lost ? "NO CONNECTION" : now.word} · ${byId("recipe").dataset.station}`;
}

function partWords(lost) {
  const words = [now.part_id];
  if (now.job_id) words.push(`job ${now.job_id}`);
  if (now.score !== null) words.push(`score ${now.score.toFixed(2)}, threshold ${now.threshold.toFixed(2)}`);
  const age = now.age_s + (lost ? silentMs() / 1000 : 0);
  words.push(age < 1 ? "just now" : `${since(age)} ago`);
  return (lost || !(now.lamp in { ok: 1, nok: 1, undecided: 1 }) ? "Last part: " : "") + words.join(" · ");
}

function showNow(told) {
  if (boot !== null && boot !== told.boot_id) location.reload(); // another start, perhaps another version
  boot = told.boot_id;
  now = told;
  [heardMono, heardWall] = [performance.now(), Date.now()];
  showLamp();
  text("recipe", `recipe ${now.recipe}`);
  showNotices(now.notices);
  showNumbers();
  showPicture();
}

function showNotices(notices) {
  const list = byId("notices");
  if (list.dataset.shown === notices.join("\n")) return;
  list.dataset.shown = notices.join("\n");
  list.replaceChildren(...notices.map((words) => make("li", {}, words)));
}

function showNumbers() {
  text("count-ok", now.counts.OK.toLocaleString("en"));
  text("count-nok", now.counts.NOK.toLocaleString("en"));
  text("count-undecided", now.counts.NOT_DECIDABLE.toLocaleString("en"));
  text("first-pass", now.first_pass === null ? "–" : `${(100 * now.first_pass).toFixed(1)} %`);
  text("takt", now.takt_s === null ? "–" : `${now.takt_s.toFixed(now.takt_s < 10 ? 2 : 0)} s`);
  text("latency", now.latency_ms === null ? "–" : `${now.latency_ms.toFixed(0)} ms`);
}

// ---- live picture: one at a time, the newest, and only while somebody can see it

let pictured = null, loading = false;

async function showPicture() {
  if (now !== null) byId("live").classList.toggle("earlier", pictured !== now.seq);
  if (kiosk || document.hidden || loading || now === null || now.seq === pictured) return;
  const wanted = now.seq;
  loading = true;
  try {
    if (wanted === null) noPicture("no picture yet");
    else if (!now.pictured) noPicture("this part has no picture");
    else await fetchPicture();
    if (pictured === null || pictured < wanted) pictured = wanted;
  } catch {
    noPicture("the picture has not come");
  }
  loading = false;
  byId("live").classList.toggle("earlier", pictured !== now.seq);
}

async function fetchPicture() {
  const answer = await fetch("/live.jpg", { signal: timeout(FETCH_MS) });
  if (answer.status !== 200) return noPicture("this part has no picture");
  const picture = byId("picture"), before = picture.src;
  picture.src = URL.createObjectURL(await answer.blob());
  await picture.decode();
  if (before) URL.revokeObjectURL(before);
  pictured = Number(answer.headers.get("X-Seq"));
  const verdict = answer.headers.get("X-Verdict");
  text("whose", `${decodeURIComponent(answer.headers.get("X-Part"))} · ${verdict.replace("_", " ")}`);
  byId("whose").className = WORDS[verdict];
  picture.hidden = false;
  byId("no-picture").hidden = true;
}

function noPicture(words) {
  byId("picture").hidden = true;
  byId("no-picture").hidden = false;
  text("no-picture", words);
  text("whose", "");
}

// ---- trend

const WIDTH = 1000, HEIGHT = 260, TOP = 14, BOTTOM = 22, LEFT = 46, RIGHT = 8;

function showTrend(told) {
  if (kiosk) return;
  const chart = byId("chart"), count = told.scores.length;
  chart.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  chart.replaceChildren();
  if (count === 0) return;
  const limit = told.thresholds[count - 1];
  const known = told.scores.filter((score) => score !== null);
  // Far above the threshold the height says nothing more: such a mark stands at the top, as a triangle.
  const scale = Math.abs(limit) || 1;
  const highest = Math.max(2 * scale, Math.min(3 * scale, Math.max(...known)));
  const lowest = Math.min(0, ...known, limit);
  const x = (i) => LEFT + ((i + 0.5) * (WIDTH - LEFT - RIGHT)) / Math.max(count, 30);
  const y = (value) => TOP + ((highest - Math.min(value, highest)) * (HEIGHT - TOP - BOTTOM)) / (highest - lowest);
  chart.append(draw("line", { class: "axis", x1: LEFT, x2: WIDTH - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM }));
  label(chart, LEFT - 8, y(lowest), lowest.toFixed(lowest ? 1 : 0));
  label(chart, LEFT - 8, y(limit), limit.toFixed(1));
  const step = told.thresholds.map((value, i) => `${i ? "L" : "M"}${x(i - 0.5)} ${y(value)}L${x(i + 0.5)} ${y(value)}`).join("");
  chart.append(draw("path", { class: "threshold", d: `${step}L${WIDTH - RIGHT} ${y(limit)}` }));
  told.scores.forEach((score, i) => chart.append(mark(x(i), score, y, highest, WORDS[told.verdicts[i]])));
  const counted = (verdict) => told.verdicts.filter((each) => each === verdict).length;
  const words = `Scores of the last ${count} parts: ${counted("OK")} OK, ${counted("NOK")} NOK, ` +
    `${counted("NOT_DECIDABLE")} not decidable; threshold ${limit.toFixed(2)}`;
  chart.setAttribute("aria-label", words);
}

function label(chart, x, y, words) {
  const node = draw("text", { x, y: y + 5, "text-anchor": "end" });
  node.textContent = words;
  chart.append(node);
}

function mark(x, score, y, highest, kind) {
  const at = score === null ? HEIGHT - BOTTOM : y(score); // on the axis where nothing was measured
  if (kind === "undecided") return draw("path", { class: kind, d: `M${x} ${at - 8}l7 12h-14z` });
  if (score > highest) return draw("path", { class: kind, d: `M${x} ${TOP - 8}l7 13h-14z` });
  if (kind === "nok") return draw("rect", { class: kind, x: x - 5, y: at - 5, width: 10, height: 10 });
  return draw("circle", { class: kind, cx: x, cy: at, r: 4 });
}

// ---- gallery

const cards = new Map(); // result id to its list item

function showGallery(told) {
  if (kiosk) return;
  const ids = new Set(told.cards.map((card) => card.result_id));
  for (const [id, item] of cards) if (!ids.has(id)) { item.remove(); cards.delete(id); }
  told.cards.forEach((card, place) => {
    let item = cards.get(card.result_id);
    if (!item) cards.set(card.result_id, (item = makeCard(card)));
    // Only moved when it stands elsewhere, so that the keyboard's place on it is kept.
    if (byId("cards").children[place] !== item) byId("cards").insertBefore(item, byId("cards").children[place] || null);
    showRuling(item, card);
  });
  byId("no-cards").hidden = told.cards.length > 0;
}

function makeCard(card) {
  const item = make("li", { class: WORDS[card.verdict] });
  const opener = make("button", { type: "button", class: "picture", "aria-label": `Enlarge the picture of ${card.part_id}` });
  const picture = make("img", { alt: `Part ${card.part_id} with its heat map`, loading: "lazy" });
  picture.onerror = () => opener.replaceChildren(make("span", {}, "no picture"));
  picture.src = `/rejects/${encodeURIComponent(card.result_id)}.jpg`;
  opener.append(picture);
  opener.onclick = () => enlarge(picture, card);
  const score = card.score === null ? "not measured" : `${card.score.toFixed(2)} / ${card.threshold.toFixed(2)}`;
  const verdict = make("p", { class: "verdict" }, card.verdict === "NOK" ? "NOK" : "NOT DECIDABLE");
  verdict.append(make("span", { class: "score" }, score));
  const taken = new Date(card.taken_utc).toLocaleTimeString("en-GB");
  const name = make("p", { class: "name", title: card.part_id }, card.job_id ? `${card.part_id} · job ${card.job_id}` : card.part_id);
  const why = make("p", { class: "why", title: card.detail }, card.reason);
  why.append(make("span", { class: "when" }, ` · ${taken}`));
  item.append(opener, verdict, name, why, make("div", { class: "ruling" }));
  return item;
}

function showRuling(item, card) {
  const state = `${card.ruling} ${card.who} ${card.undoable}`;
  if (item.dataset.state === state) return;
  item.dataset.state = state;
  const box = item.querySelector(".ruling");
  const held = box.contains(document.activeElement);
  item.classList.toggle("ruled", card.ruling !== null);
  if (card.ruling === null) {
    box.replaceChildren(ruler(card, "confirmed", "Confirm", "a real defect"), ruler(card, "accepted", "Accept", "good after all"));
  } else {
    const words = (card.ruling === "accepted" ? "✓ Accepted as good" : "✕ Confirmed defect") + (card.who ? ` by ${card.who}` : "");
    box.replaceChildren(make("p", { class: card.ruling }, words));
    if (card.undoable) box.append(ruler(card, "undone", "Undo", ""));
  }
  if (held) box.querySelector("button")?.focus();
}

function ruler(card, decision, words, meaning) {
  const button = make("button", { type: "button", class: decision, "aria-label": `${words} ${card.part_id}${meaning ? ": " + meaning : ""}` }, words);
  if (meaning) button.append(make("small", {}, meaning));
  button.onclick = () => rule(card, decision, button.parentElement);
  return button;
}

async function rule(card, decision, box) {
  for (const each of box.querySelectorAll("button")) each.disabled = true;
  const body = JSON.stringify({ decision, who: byId("who").value.trim() });
  try {
    const headers = { "Content-Type": "application/json" };
    const signal = timeout(RULING_MS);
    const answer = await fetch(`/rejects/${encodeURIComponent(card.result_id)}`, { method: "POST", headers, body, signal });
    say(`${card.part_id}: ${await answer.text()}`, answer.ok);
  } catch {
    say(`${card.part_id}: the station did not answer; look whether it is decided before you try again.`, false);
  }
  for (const each of box.querySelectorAll("button")) each.disabled = false;
}

function say(words, good) {
  text("said", words);
  byId("said").className = good ? "good" : "bad";
}

function enlarge(picture, card) {
  const large = byId("large");
  if (!picture.isConnected) return;
  large.querySelector("img").src = picture.src;
  large.querySelector("img").alt = picture.alt;
  large.querySelector("p").textContent = [card.part_id, card.reason, card.detail].filter(Boolean).join(" · ");
  large.showModal();
}

// ---- health

function showHealth(told) {
  healthy = told.troubles.length === 0;
  if (kiosk) return;
  byId("troubles").replaceChildren(...told.troubles.map((words) => make("li", { class: "bad" }, words)));
  if (healthy) byId("troubles").append(make("li", { class: "good" }, "healthy"));
  byId("facts").replaceChildren(...told.facts.map((fact) => {
    const line = make("div");
    line.append(make("dt", {}, fact.what), make("dd", {}, fact.words));
    return line;
  }));
}

// ---- being told

const HEARD = { now: showNow, trend: showTrend, gallery: showGallery, health: showHealth };

let stream = null, askedMono = 0;

function listen() {
  stream?.close();
  const mine = (stream = new EventSource("/events"));
  askedMono = performance.now();
  for (const [name, show] of Object.entries(HEARD)) mine.addEventListener(name, (event) => show(JSON.parse(event.data)));
  mine.onerror = async () => {
    if (mine !== stream || mine.readyState !== EventSource.CLOSED) return; // it tries again by itself
    setTimeout(() => { if (mine === stream) listen(); }, RETRY_MS); // it was refused: too many look, or the token was changed
    const answer = await fetch("/alive", { signal: timeout(FETCH_MS) }).catch(() => null);
    if (answer?.status === 401) location.reload();
  };
}

function watch() {
  if (now === null || silentMs() > LOST_MS) showLamp();
  const dead = now === null || silentMs() > DEAD_MS;
  if (dead && performance.now() - askedMono > DEAD_MS) listen();
}

byId("recipe").dataset.station = document.title.split(" · ")[0];
byId("who").value = localStorage.getItem("who") || "";
byId("who").onchange = () => localStorage.setItem("who", byId("who").value.trim());
byId("close").onclick = () => byId("large").close();
byId("large").onclick = (event) => { if (event.target === byId("large")) byId("large").close(); };
document.addEventListener("visibilitychange", () => { showLamp(); showPicture(); });
setInterval(watch, 500);
listen();
