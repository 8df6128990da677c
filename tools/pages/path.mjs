// Walks the whole path of a team in headless Chromium by keyboard alone: a referral taken in, an investigation opened, people put on
// it, danger said, IP events, an exhibit with its seal and hand-over, an examination begun, watched, read and attached, what is
// graded, another examination graded while it runs, a few hundred gradings, a search, figures, the ledger.
// usage: node path.mjs ADDRESS LEAD_FILE REFERENCE:SOURCE[,…] MOST   (password in AVOCET_PASSWORD)
// The last source is the one that is graded while it runs: it must take half a minute.
// A file cannot be chosen by keys in a browser without a window: only that is done another way.
// Prints what was done as JSON; ends with 1 at the first thing that is not so.
import { chromium } from "playwright-core";

const [address, lead, exhibits, most] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const troubles = [];
let page = null;
const fail = async (why) => {
  console.error(`path: ${why}, at ${page ? new URL(page.url()).pathname : "no page"}; ${JSON.stringify(troubles)}`);
  if (page) console.error((await page.innerText("main").catch(() => "")).slice(0, 1500));
  await browser.close();
  process.exit(1);
};
const must = async (holds, why) => holds || (await fail(why));
const here = () => new URL(page.url()).pathname;

// Everybody has a browser of their own, and stays signed in.
const people = new Map();
async function as(login) {
  if (!people.has(login)) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", viewport: { width: 1366, height: 900 } });
    page = await context.newPage();
    page.on("pageerror", (error) => troubles.push(error.message));
    page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
    people.set(login, page);
    await page.goto(`${address}/sign-in`);
    await type("#login", login);
    await type("#password", process.env.AVOCET_PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => url.pathname === "/");
  }
  page = people.get(login);
}

// Tab until something has the focus, once around the page at most.
async function reach(selector) {
  for (let n = 0; n < 400; n += 1) {
    if (await page.evaluate((wanted) => document.activeElement !== null && document.activeElement.matches(wanted), selector)) return;
    await page.keyboard.press("Tab");
  }
  await fail(`${selector} cannot be reached by Tab`);
}
async function type(selector, text) {
  await reach(selector);
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
}
// A date and a time, as the browser's own field takes them from keys: a day and month that are the same number, in whichever order the
// browser's own language has them, and the half of the day, where it has one.
async function moment(selector, day, time) {
  await reach(selector);
  await page.keyboard.type(day);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.type(time);
  await page.keyboard.press("a");
}
async function pick(selector, fits) {
  await reach(selector);
  for (let n = 0; n < 100; n += 1) {
    const [value, words] = await page.evaluate((s) => { const one = document.querySelector(s); return [one.value, one.selectedOptions[0]?.textContent ?? ""]; }, selector);
    if (fits(value, words)) return;
    await page.keyboard.press("ArrowDown");
  }
  await fail(`${selector} has no such choice`);
}
async function choose(name, value) {
  await reach(`input[name="${name}"]`);
  for (let n = 0; n < 40; n += 1) {
    if ((await page.evaluate(() => document.activeElement.value)) === value) return page.keyboard.press("Space");
    await page.keyboard.press("ArrowDown");
  }
  return fail(`${name} has no ${value}`);
}
async function check(name, value) {
  const one = `input[name="${name}"][value="${value}"]`;
  await reach(one);
  if (!(await page.isChecked(one))) await page.keyboard.press("Space");
}
// Enter on a link or button, and the page that it leads to.
async function enter(selector) {
  await reach(selector);
  const before = page.url();
  const loaded = page.waitForEvent("load", { timeout: 20000 });
  await page.keyboard.press("Enter");
  await loaded.catch(() => fail(`${selector} leads nowhere`));
  await page.waitForLoadState();
  return before;
}
const link = (to) => enter(`a[href="${to}"]`);
const send = async () => {
  await enter("main button.main");
  const wrong = await page.$(".error-summary");
  if (wrong) await fail(`a form is refused: ${await wrong.innerText()}`);
};
async function section(to) {
  if (!here().startsWith("/investigations/I-1")) {
    await link("/investigations");
    await link("/investigations/I-1");
  }
  await link(`/investigations/I-1${to}`);
}
const says = async (text, why) => must((await page.innerText("main")).includes(text), why ?? `the page does not say “${text}”`);

// The lead, and the investigation on it.
await as("supervisor");
await link("/referrals");
await link("/referrals/new");
await choose("source", "ncmec-cybertip");
await reach("#file");
await page.setInputFiles("#file", lead);
await send();
await says("R-1 is taken in");
await enter('a[href="/investigations/new?referral=R-1"]');
await type("#title", "Operation Heron");
await send();
await says("I-1 is open");
const team = ["detective", "examiner", "grader"];
await link("/investigations/I-1/members");
for (const login of team) {
  await pick("#user", (_, words) => words.startsWith(`${login} `));
  await send();
  await says(login);
}

await as("detective");
await section("");
await enter('a[href="/investigations/I-1/risk/danger"]');
await choose("danger", "yes");
await send();
await link("/investigations/I-1");
await enter('a[href="/investigations/I-1/risk/acted"]');
await choose("action", "social_care_told");
await moment("#acted", "11112026", "1005");
await type("#body", "Council 1");
await send();
await section("/referrals");
await link("/referrals/R-1");
await enter('form[action="/referrals/R-1/ip-events"] button');
await says("192.0.2.17");
let number = 0;
const taken = exhibits.split(",").map((one) => one.split(":"));
for (const [reference] of taken) {
  number += 1;
  await section("/exhibits");
  await link("/investigations/I-1/exhibits/new");
  await type("#reference", reference);
  await type("#kind", "camera card");
  await type("#description", "demo device");
  await type("#place", "desk");
  await choose("source", "power");
  await pick("#power", (value) => value === "search-after-arrest");
  await send();
  const at = `/investigations/I-1/exhibits/E-${number}`;
  await link(at);
  await link(`${at}/sealed`);
  await type("#seal", `S-${100 + number}`);
  await send();
  if (here() !== at) await link(at);
  await link(`${at}/hand-over`);
  await choose("to", "officer");
  await pick("#user", (_, words) => words.startsWith("examiner "));
  await send();
}

// The force's sets and a backup, by who looks after the store.
await as("admin");
await link("/sets");
for (const [file, scheme, name] of [["demo-known-pictures", "us-vics-2.0", "demo-known"], ["demo-known-good", "known-good", "demo-good"]]) {
  await link("/sets/import");
  const label = page.locator(".choice", { hasText: file }).locator("input");
  await check("file", await label.getAttribute("value"));
  await type("#name", name);
  await pick("#scheme", (value) => value === scheme);
  await send();
  for (let n = 0; n < 60 && !(await page.innerText("main")).includes(`${name}@1`); n += 1) {
    await page.waitForTimeout(500);
    await link("/sets");
  }
  await says(`${name}@1`);
}
await link("/backups");
await send();
await says("its ledger verifies");

// Examinations: begun here, watched, read first, attached.
await as("examiner");
number = 0;
let attached = 0;
async function begin(source) {
  number += 1;
  await section("/exhibits");
  await link(`/investigations/I-1/exhibits/E-${number}`);
  await link(`/investigations/I-1/exhibits/E-${number}/examine`);
  await pick("#source", (_, words) => words.startsWith(source));
  await check("known", "demo-known");
  await check("known", "demo-good");
  await send();
}
async function attach() {
  await page.waitForSelector('a[href*="/examinations/found/"]', { timeout: 180000 }).catch(() => fail("the examination does not end"));
  await enter('a[href*="/examinations/found/"]');
  const text = await page.innerText("main");
  await must(text.indexOf("How complete it is") < text.indexOf("What it found"), "completeness does not come first");
  await pick("#exhibit", (value) => value === `E-${number}`);
  await send();
  attached += 1;
  await says(`X-${attached} is attached to E-${number}`);
}
const whileItRuns = taken.at(-1)[1];
for (const [, source] of taken.slice(0, -1)) {
  await begin(source);
  await attach();
}

await as("supervisor");
await section("/examinations");
await link("/investigations/I-1/examinations/policy");
await choose("what", "unknown");
await pick("#scheme", (value) => value === "us-vics-2.0@1");
await type("#reason", "agreed");
await send();
await says("What no set knows");

// What an examination has read is graded while it runs.
await as("examiner");
await begin(whileItRuns);
const run = here();
for (let n = 0; ; n += 1) {
  await must(n < 60, "nothing was read in a minute");
  await enter('form[action$="/interim"] button');
  const ended = () => document.querySelector('a[href*="/examinations/found/"]') !== null || document.querySelector("main").innerText.includes("Did not finish");
  await page.waitForFunction(ended, null, { timeout: 60000 }).catch(() => fail("the interim result is not made"));
  if (await page.$('a[href*="/examinations/found/"]')) break;
  await says("only begun", "the interim result is refused for another reason");
  await page.waitForTimeout(1000);
  await link("/investigations");
  await section("/examinations");
  await link(run);
}
await attach();
const interim = `X-${attached}`;
await says("interim");
await link("/investigations");
await section("/examinations");
await link(run);
const stillRuns = (await page.$("#job[data-progress]")) !== null;
await must(stillRuns, "the examination had ended before its interim result was attached: give it a larger source");

// Grading.
await as("grader");
const asked = [];
page.on("request", (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname.split("/").slice(3).join("/")}`));
const pictures = [];
page.on("response", async (response) => {
  if (!(response.headers()["content-type"] ?? "").startsWith("image/jpeg")) return;
  pictures.push(new URL(response.url()).pathname.split("/").slice(4)[0]);
});
await section("/review");
await page.waitForSelector(".tile");
await page.waitForLoadState("networkidle");
let graded = 0;
let tiles = 0;
let clear = 0;
const keys = await page.$$eval("#legend [data-grade]", (all) => all.map((one) => one.dataset.key));
while (graded < Number(most)) {
  if (!here().endsWith("/review")) {
    const on = await page.$('main a[href$="/review"]');
    if (!on) break;
    await enter('main a[href$="/review"]');
    if (!(await page.$(".tile"))) break;
    await page.waitForLoadState("networkidle");
  }
  // What a browser holds of each tile, pixel by pixel: small, and without colour.
  const shown = await page.$$eval(".tile img", async (all) => Promise.all(all.map(async (one) => {
    const picture = await createImageBitmap(one);
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    const bytes = context.getImageData(0, 0, picture.width, picture.height).data;
    let colour = 0;
    for (let at = 0; at < bytes.length; at += 4) colour = Math.max(colour, Math.abs(bytes[at] - bytes[at + 1]), Math.abs(bytes[at] - bytes[at + 2]));
    return { side: Math.max(picture.width, picture.height), colour };
  })));
  for (const tile of shown) await must(tile.side <= 96 && tile.colour <= 2, `a tile that is not small and grey: ${JSON.stringify(tile)}`);
  tiles += shown.length;
  await must(asked.filter((one) => one === "POST review/clear").length === clear, "something clear was asked for without a key");
  await must(pictures.filter((what) => what !== "tile").length === clear, "a picture came that is no tile");
  // One is held on each page: the only one that may come clear.
  if (shown.length > 0) {
    await page.keyboard.down("Space");
    await page.waitForSelector(".tile.clear canvas:not([hidden])", { timeout: 5000 }).catch(() => fail("no clear picture while the key is held"));
    await page.keyboard.up("Space");
    await page.waitForSelector(".tile.clear", { state: "detached" });
    clear += 1;
  }
  const left = await page.$$eval(".tile", (all) => all.length);
  for (let n = 0; n < left && graded < Number(most); n += 1) {
    const before = await page.evaluate(() => document.activeElement.dataset.item);
    await page.keyboard.press(keys[graded % keys.length]);
    graded += 1;
    if (n + 1 < left) await page.waitForFunction((was) => document.activeElement.dataset.item !== was, before, { timeout: 5000 }).catch(() => fail("the next tile does not come"));
  }
  await page.waitForURL((url) => url.pathname.endsWith("/pause"), { timeout: 10000 }).catch(() => {});
}
await page.waitForTimeout(500);

// The whole result is there by now, and takes the place of the interim one.
await as("examiner");
await page.goto(`${address}${run}`);
await page.waitForSelector('a[href*="/examinations/found/"]', { timeout: 180000 }).catch(() => fail("the examination does not end"));
await link("/");
await says("The whole result of");
await section("/examinations");
await says(`Only ${interim} is attached`);
await enter('main a[href*="/examinations/found/"]');
await must((await page.inputValue("#replaces")) === interim, "the interim result is not chosen to be replaced");
await send();
attached += 1;
await says(`It takes the place of ${interim}`);
await link("/");
await must(!(await page.innerText("main")).includes("The whole result of"), "what is done is still said");

// A search, figures that open their records, the ledger.
await as("detective");
await link("/search");
await type("#sought", "192.0.2.17");
await send();
await says("N-1");
await must(!page.url().includes("192"), "what was sought stands in the address");
await as("supervisor");
await link("/figures");
await says("Figures");
const figure = await page.$('a[href^="/figures/devices-seized?"]');
await must(figure !== null, "no figure of devices");
await enter('a[href^="/figures/devices-seized?"]');
for (const n of taken.keys()) await says(`E-${n + 1}`);
await as("auditor");
await link("/ledger");
await link("/ledger/verify");
await says("The ledger is whole.");
await must(troubles.length === 0, "a page complains");
console.log(JSON.stringify({ graded, tiles, clear, attached, while_it_runs: stillRuns }));
await browser.close();
