// Grades on the review screen by keys alone, and checks that nothing clear reaches the browser without one.
// usage: node review.mjs ADDRESS LOGIN MOST   (password in AVOCET_PASSWORD)
// Prints what was done as JSON; ends with 1 at the first thing that is not so.
import { chromium } from "playwright-core";

const [address, login, most] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1366, height: 900 } });
const page = await context.newPage();
const asked = [];
const troubles = [];
page.on("request", (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname.split("/").slice(3).join("/")}`));
page.on("pageerror", (error) => troubles.push(error.message));
page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
const count = (what) => asked.filter((one) => one === what).length;
const fail = async (why) => {
  console.error(`review: ${why}; ${JSON.stringify(troubles)}`);
  await browser.close();
  process.exit(1);
};
const must = async (holds, why) => holds || (await fail(why));

await page.goto(`${address}/sign-in`);
await page.fill("#login", login);
await page.fill("#password", process.env.AVOCET_PASSWORD);
await page.keyboard.press("Enter");
await page.waitForURL((url) => url.pathname === "/");
const at = `${address}/investigations/I-1/review`;
await page.goto(at);
await page.waitForSelector(".tile");
await page.waitForLoadState("networkidle");

// What stands on the page is small and grey, and neither a pointer nor a click shows more.
const largest = await page.$$eval(".tile img", (all) => Math.max(0, ...all.map((one) => Math.max(one.naturalWidth, one.naturalHeight))));
await must(largest > 0 && largest <= 96, `a tile of ${largest} pixels`);
await page.hover(".tile");
await page.click(".tile .picture");
await page.waitForTimeout(300);
await must(count("POST review/clear") === 0, "something clear was asked for without a key");

// Held: there. Let go: gone, and the server knows.
await page.keyboard.down("Space");
await page.waitForSelector(".tile.clear canvas:not([hidden])", { timeout: 5000 }).catch(() => fail("no clear picture while the key is held"));
await page.keyboard.up("Space");
await page.waitForSelector(".tile.clear", { state: "detached" });
const left = await page.$$eval(".tile canvas", (all) => Math.max(...all.map((one) => one.width * one.height)));
await must(left === 1, "something clear is left on the page");
await page.waitForTimeout(300);
await must(count("POST review/clear") === 1 && count("POST review/clear-end") === 1, "a clear view without its end");

// Held too long: taken away by itself.
await page.keyboard.down("Space");
await page.waitForSelector(".tile.clear");
await page.waitForSelector(".tile.clear", { state: "detached", timeout: 7000 }).catch(() => fail("a clear picture stays longer than it may"));
await page.keyboard.up("Space");

// Leaving covers.
await page.evaluate(() => window.dispatchEvent(new Event("blur")));
await page.waitForSelector("#cover[open]");
await page.keyboard.press("Enter");
await page.waitForSelector("#cover[open]", { state: "detached" });

let graded = 0;
let undone = 0;
const waits = [];
const keys = await page.$$eval("#legend [data-grade]", (all) => all.map((one) => one.dataset.key));
while (graded < Number(most)) {
  if (!new URL(page.url()).pathname.endsWith("/review")) {
    await page.goto(at);
    if ((await page.$(".tile")) === null) break;
  }
  const tiles = await page.$$eval(".tile", (all) => all.length);
  for (let n = 0; n < tiles && graded < Number(most); n += 1) {
    const before = await page.evaluate(() => document.activeElement.dataset.item);
    const start = performance.now();
    await page.keyboard.press(keys[graded % keys.length]);
    graded += 1;
    if (n + 1 < tiles) {
      await page.waitForFunction((was) => document.activeElement.dataset.item !== was, before, { timeout: 5000 }).catch(() => fail("the next tile does not come"));
      waits.push(performance.now() - start);
    }
    if (graded % 10 === 5 && n + 1 < tiles) {
      await page.keyboard.press("u");
      await page.waitForFunction((was) => document.activeElement.dataset.item === was, before, { timeout: 5000 }).catch(() => fail("an undone tile does not come back"));
      await page.keyboard.press(keys[0]);
      await page.waitForFunction((was) => document.activeElement.dataset.item !== was, before, { timeout: 5000 });
      undone += 1;
    }
  }
  await page.waitForURL((url) => url.pathname.endsWith("/pause"), { timeout: 10000 }).catch(() => {});
}
await page.waitForTimeout(500);
waits.sort((a, b) => a - b);
await must(troubles.length === 0, "the page complains");
console.log(JSON.stringify({ graded, undone, clear: count("POST review/clear"), ended: count("POST review/clear-end"),
  key_to_next_tile_ms: { median: waits[Math.floor(waits.length / 2)], p95: waits[Math.floor(waits.length * 0.95)] } }));
await browser.close();
